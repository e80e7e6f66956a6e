import { describe, expect, test } from 'vitest';
import {
  EMPTY_STATE,
  isMuted,
  isOpenFault,
  sameCause,
  withIncidents,
  type Incident,
  type Silence,
} from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { START } from '../../../support/store/incident-timeline.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const CAUSE = causeOf('tls-intercepted');

describe('isMuted()', () => {
  const silence: Silence = { id: '1', cause: null, subject: null, from: START, until: START + 9, by: '', comment: '' };

  test.each<readonly [string, Partial<Silence>, boolean]>([
    ['of everything', {}, true],
    ['that begins now', { from: START }, true],
    ['that begins later', { from: START + 1 }, false],
    ['that ends a moment later', { until: START + 1 }, true],
    ['that ends now', { until: START }, false],
    ['of this cause', { cause: CAUSE.id }, true],
    ['of another cause', { cause: 'tls-blocked' }, false],
    ['of this subject', { subject: CAUSE.subject }, true],
    ['of another subject', { subject: 'other.example:443' }, false],
    ['of this cause elsewhere', { cause: CAUSE.id, subject: 'other.example:443' }, false],
  ])('a silence %s', (_, over, muted) => {
    expect(isMuted({ maintenance: false, silences: [{ ...silence, ...over }] }, CAUSE, START)).toBe(muted);
  });

  test('one of several silences is enough, and maintenance is without any', () => {
    const other = { ...silence, cause: 'tls-blocked' };
    expect(isMuted({ maintenance: false, silences: [other, silence] }, CAUSE, START)).toBe(true);
    expect(isMuted({ maintenance: false, silences: [] }, CAUSE, START)).toBe(false);
    expect(isMuted({ maintenance: true, silences: [] }, CAUSE, START)).toBe(true);
  });
});

test('an open fault is open, and more than a note', () => {
  const incident = incidentOf();
  expect(isOpenFault(incident)).toBe(true);
  expect(isOpenFault({ ...incident, status: 'closed' })).toBe(false);
  expect(isOpenFault({ ...incident, cause: { ...CAUSE, severity: 'info' } })).toBe(false);
});

test('the same cause is the same kind of fault in the same place', () => {
  expect(sameCause(CAUSE, { ...CAUSE })).toBe(true);
  expect(sameCause(CAUSE, { ...CAUSE, id: 'tls-blocked' })).toBe(false);
  expect(sameCause(CAUSE, { ...CAUSE, subject: 'other.example:443' })).toBe(false);
});

test('withIncidents() replaces those that it is given', () => {
  const [one, two] = [incidentOf(), { ...incidentOf(), id: 'two' }];
  const changed: Incident = { ...two, status: 'closed' };
  expect(withIncidents({ ...EMPTY_STATE, incidents: [one, two] }, [changed]).incidents).toEqual([one, changed]);
});

test('a state begins empty', () => {
  expect(EMPTY_STATE).toEqual({
    version: 1,
    origin: '',
    counter: 0,
    candidates: [],
    unjudged: [],
    incidents: [],
    silences: [],
    maintenance: false,
    sent: [],
    runningSince: null,
    restartToldAt: null,
    summarizedUntil: null,
  });
});
