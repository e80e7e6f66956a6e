import { describe, expect, test } from 'vitest';
import { remedyOf, ANY_SERVER } from '../../../../src/engine/remedy-words.ts';
import type { Cause, Check, Diagnosis, Finding } from '../../../../src/engine/model.ts';
import { EMPTY_STATE, type Incident, type Unjudged } from '../../../../src/engine/incident/incident.ts';
import {
  roundView,
  type RoundView,
  followUnjudged,
  unknownCauses,
} from '../../../../src/engine/incident/round-view.ts';
import { UNKNOWN_CAUSE, UNKNOWN_WORDS } from '../../../../src/engine/words.ts';
import { CHECKS, type PreconditionId } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, START } from '../../../support/store/incident-timeline.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const ID: PreconditionId = 'tls-genuine';
const SINCE = START - 15 * MINUTE;

function view(findings: readonly Finding[] = [], checks: readonly Check[] = CHECKS): RoundView {
  const diagnosis = diagnosisOf(START, [], { [ID]: 'unknown' });
  const preconditions: Diagnosis['preconditions'] = diagnosis.preconditions.map((status) =>
    status.id === ID ? { ...status, summary: 'No answer', findings } : status,
  );
  return roundView({ diagnosis: { ...diagnosis, preconditions }, fresh: null, checks });
}

function unjudged(over: Partial<Unjudged> = {}): Unjudged {
  return { precondition: ID, since: SINCE, at: START, checked: 3, ...over };
}

function causes(known: readonly Unjudged[], round = view(), incidents: readonly Incident[] = []): readonly Cause[] {
  return unknownCauses(known, { ...EMPTY_STATE, incidents }, round);
}

const subjects = (told: readonly Cause[]): readonly string[] => told.map(({ subject }) => subject);

describe('followUnjudged()', () => {
  const follow = (...known: readonly Unjudged[]): readonly Unjudged[] =>
    followUnjudged({ ...EMPTY_STATE, unjudged: known }, view());

  test.each<readonly [string, Partial<Unjudged>, number]>([
    ['goes on', { at: START - MINUTE }, SINCE],
    ['goes on after a gap of less than an hour', { at: START - HOUR + 1 }, SINCE],
    ['begins anew after a gap of an hour', { at: START - HOUR }, START],
    ['goes on from this moment', { since: START }, START],
    ['begins anew after a clock was set back', { since: START + 1 }, START],
    ['begins anew where another one was unknown', { precondition: 'clock' }, START],
  ])('%s', (_, over, since) => {
    const checked = since === SINCE ? 4 : over.since === START ? 4 : 1;
    expect(follow(unjudged({ precondition: 'mail', since: 1 }), unjudged(over))).toEqual([
      unjudged({ since, checked }),
    ]);
  });

  test('begins with the first round that cannot judge', () => {
    expect(follow()).toEqual([unjudged({ since: START, checked: 1 })]);
  });

  test('counts the rounds that checked it', () => {
    const slow = followUnjudged({ ...EMPTY_STATE, unjudged: [unjudged()] }, { ...view(), fresh: ['mail'] });
    expect(slow).toEqual([unjudged()]);
  });
});

describe('unknownCauses()', () => {
  test('tells what is unknown for 15 minutes, as a warning', () => {
    const check = CHECKS.find(({ id }) => id === ID);
    expect(causes([unjudged({ since: SINCE + 1 })])).toEqual([]);
    expect(causes([unjudged()])).toEqual([
      {
        id: UNKNOWN_CAUSE,
        precondition: ID,
        severity: 'warning',
        confidence: 'confirmed',
        subject: ID,
        product: null,
        summary: `"${check?.title ?? ''}" could not be checked for 15 min: No answer`,
        impact: expect.stringMatching(/^[A-Z].*\.$/u),
        evidence: [],
        consequences: [],
        ...remedyOf([check?.unknownRemedy ?? '', ...UNKNOWN_WORDS.remedy], { ...ANY_SERVER, subject: ID }),
      },
    ]);
  });

  test.each([
    [15.9, '15 min'],
    [47, '47 min'],
    [119, '1 h 59 min'],
    [180, '3 h'],
    [72 * 60, '3 d'],
  ])('says how long it has been unknown: %f minutes', (minutes, text) => {
    const [cause] = causes([unjudged({ since: START - minutes * MINUTE })]);
    expect(cause?.summary).toContain(` could not be checked for ${text}: `);
  });

  test('says what could not be judged alone, and what would settle it', () => {
    const findings = [
      finding(null, { level: 'unknown', subject: 'host:443', expected: 'a trusted issuer', actual: 'CN=Contoso' }),
      finding(null, { level: 'unknown', advice: { summary: '', remedy: ['Add the root of Contoso.'] } }),
      finding(null, { level: 'note', advice: { summary: '', remedy: ['Never mind.'] } }),
    ];
    const [cause] = causes([unjudged()], view(findings));
    expect(cause?.evidence).toHaveLength(2);
    expect(cause?.evidence[0]).toBe('host:443: CN=Contoso. Expected: a trusted issuer.');
    expect(cause?.remedy).toEqual(remedyOf(['Add the root of Contoso.', ...UNKNOWN_WORDS.remedy], ANY_SERVER).remedy);
  });

  test.each<readonly [string, PreconditionId, Incident, boolean]>([
    ['a fault of its own', ID, incidentOf(causeOf('tls-intercepted')), true],
    ['a fault that it depends on', ID, incidentOf(causeOf('egress-blocked')), false],
    ['a fault deeper still', 'license-server', incidentOf(causeOf('egress-blocked')), false],
    ['a fault of the way out', 'clock', incidentOf(causeOf('internet-unreachable')), false],
    ['a fault that may explain it', 'firewall-policy', incidentOf(causeOf('egress-blocked')), false],
    ['a fault that has nothing to do with it', ID, incidentOf(causeOf('mail-unreachable')), true],
    ['a note', ID, incidentOf(causeOf('egress-blocked', { severity: 'info' })), true],
    ['a fault that is over', ID, { ...incidentOf(causeOf('egress-blocked')), status: 'closed' }, true],
    ['what is told of it already', ID, incidentOf({ ...causeOf('tls-intercepted'), id: UNKNOWN_CAUSE }), true],
  ])('is told, or not, beside %s', (_, ...[precondition, incident, told]) => {
    expect(subjects(causes([unjudged({ precondition })], view(), [incident]))).toEqual(told ? [precondition] : []);
  });

  test('waits for the third check beside an incident of its own, and is not told while that is seen', () => {
    const incident = incidentOf(causeOf('tls-intercepted'));
    const round = view();
    expect(causes([unjudged({ checked: 2 })], round, [incident])).toEqual([]);
    expect(causes([unjudged()], { ...round, causes: [incident.cause] }, [incident])).toEqual([]);
  });

  test('is told of the deepest alone', () => {
    const known = (['reachability', ID, 'license-server'] as const).map((precondition) => unjudged({ precondition }));
    expect(subjects(causes(known))).toEqual(['reachability']);
    const young = unjudged({ precondition: 'reachability', since: START });
    expect(causes([young, unjudged(), unjudged({ precondition: 'license-server' })])).toEqual([]);
    expect(causes([young, unjudged({ precondition: 'license-server' })])).toEqual([]);
    expect(subjects(causes([unjudged({ precondition: 'clock' }), unjudged()]))).toEqual(['clock', ID]);
  });

  test('is told of nothing that there is no check for', () => {
    const others = CHECKS.filter(({ id }) => id !== ID);
    expect(causes([unjudged()], view([], others))).toEqual([]);
    const round = view();
    const preconditions = round.diagnosis.preconditions.filter(({ id }) => id !== ID);
    expect(causes([unjudged()], { ...round, diagnosis: { ...round.diagnosis, preconditions } })).toEqual([]);
  });

  test('is not told of what waits for its first line', () => {
    expect(causes([unjudged({ precondition: 'polling' })])).toEqual([]);
  });
});
