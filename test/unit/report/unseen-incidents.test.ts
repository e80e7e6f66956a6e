import { describe, expect, test } from 'vitest';
import { INTERMITTENT_RULE } from '../../../src/checks/intermittent/finding.ts';
import type { CheckExit, OpenIncident } from '../../../src/document/site-state.ts';
import {
  exitCodeBeside,
  renderDiagnosis,
  unseenIncidents,
  type UnseenIncident,
} from '../../../src/report/report-text.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { START } from '../../support/store/incident-timeline.ts';

const { id: cause, subject } = causeOf('egress-blocked');
const CLEAN = diagnosisOf(START, []);

function incident(over: Partial<OpenIncident> = {}): OpenIncident {
  return {
    id: '20261124T130005Z-a-1',
    cause,
    subject,
    severity: 'critical',
    summary: 'Every second connection is not opened.',
    headline: 'Connections are not opened',
    remedy: [],
    since: '2026-11-24T12:50:00.000Z',
    lastSeen: '2026-11-24T12:59:30.000Z',
    ...over,
  };
}

function unseen(over: Partial<OpenIncident>, rule = 'port-opens'): readonly UnseenIncident[] {
  const preconditions = [{ id: 'reachability', findings: [{ rule }] }];
  return unseenIncidents(CLEAN, { diagnosis: { preconditions }, incidents: [incident(over)] });
}

describe('unseenIncidents()', () => {
  test.each<readonly [string, Partial<OpenIncident>, string, readonly boolean[]]>([
    ['an outage, which one connection contradicts', {}, 'port-opens', [true]],
    ['an intermittent fault, which one connection does not contradict', {}, INTERMITTENT_RULE, [false]],
    ['what the log alone shows', { cause: 'polling-failing' }, 'port-opens', [false]],
    ['another fault beside an intermittent one', { cause: 'tls-intercepted' }, INTERMITTENT_RULE, [true]],
    ['a precondition that is unknown', { cause: 'precondition-unknown' }, INTERMITTENT_RULE, [true]],
    ['no note', { severity: 'info' }, 'port-opens', []],
  ])('names %s', (_, over, rule, contradicted) => {
    expect(unseen(over, rule).map(({ isContradicted }) => isContradicted)).toEqual(contradicted);
  });

  test('names nothing that the check shows itself', () => {
    const own = diagnosisOf(START, [causeOf('egress-blocked')]);
    const daemon = { diagnosis: { preconditions: [] }, incidents: [incident(), incident({ subject: 'other:443' })] };
    expect(unseenIncidents(own, daemon)).toMatchObject([{ subject: 'other:443' }]);
  });
});

describe('the exit code beside an open incident', () => {
  test.each<readonly [string, Partial<OpenIncident>, string, CheckExit, CheckExit]>([
    ['is 1 where the check contradicts it', {}, 'port-opens', 0, 1],
    ['is 2 where it cannot', {}, INTERMITTENT_RULE, 0, 2],
    ['is 2 where nothing else is known', {}, INTERMITTENT_RULE, 3, 2],
    ['is 1 for a warning', { severity: 'warning' }, INTERMITTENT_RULE, 0, 1],
    ['stays 3 where the check contradicts it', {}, 'port-opens', 3, 3],
    ['stays 2', {}, 'port-opens', 2, 2],
    ['stays 0 for a note', { severity: 'info' }, INTERMITTENT_RULE, 0, 0],
  ])('%s', (_, ...[over, rule, own, expected]) => {
    expect(exitCodeBeside(own, unseen(over, rule))).toBe(expected);
  });
});

test('the conclusion of a check is no bare READY beside an intermittent fault, and names the incident', () => {
  const conclusionOf = (over: Partial<OpenIncident>, rule?: string): string | undefined => {
    const text = renderDiagnosis(CLEAN, { color: false, width: 200 }, { unseen: unseen(over, rule) });
    expect(text).toContain(incident(over).summary);
    return /^(?:NOT )?READY/u.exec(text.trimEnd().split('\n').at(-1) ?? '')?.[0];
  };
  expect(conclusionOf({}, INTERMITTENT_RULE)).toBe('NOT READY');
  expect(conclusionOf({ severity: 'warning' }, INTERMITTENT_RULE)).toBe('READY');
  expect(conclusionOf({})).toBe('READY');
});
