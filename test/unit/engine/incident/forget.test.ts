import { expect, test } from 'vitest';
import { next } from '../../../../src/engine/incident/machine.ts';
import { EMPTY_STATE, type Incident } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY, START, timeline } from '../../../support/store/incident-timeline.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';
import { HOUR, MINUTE } from '../../../support/time/units.ts';

const CAUSE = causeOf('tls-intercepted');

const told = { at: START, cause: 'tls-intercepted', subject: 's', severity: 'critical', named: [] } as const;

test.each<readonly [string, Partial<Incident>, { readonly tells: boolean }, boolean]>([
  ['is open', { closedAt: null }, { tells: true }, true],
  ['ended a moment less than two hours ago', { closedAt: START - 120 * MINUTE + 1 }, { tells: true }, true],
  ['ended two hours ago', { closedAt: START - 120 * MINUTE }, { tells: true }, false],
  ['ends now', { closedAt: START }, { tells: true }, true],
  ['ended in a future that a clock was set back from', { closedAt: START + 1 }, { tells: true }, false],
  ['is still to be told to end', { closedAt: START - 150 * MINUTE, lastNotified: told }, { tells: true }, true],
  ['waits for the digest', { closedAt: START - 150 * MINUTE, awaitsDigest: true }, { tells: true }, true],
  ['is told to nobody', { closedAt: START - 150 * MINUTE, lastNotified: told }, { tells: false }, false],
])('what %s', (_, over, policy, kept) => {
  const incident: Incident = { ...incidentOf(), status: 'closed', lastNotified: null, awaitsDigest: false, ...over };
  const state = { ...EMPTY_STATE, incidents: [incident] };
  const { incidents } = next(state, { kind: 'tick', at: START }, { ...POLICY, ...policy }).state;
  expect(incidents.map(({ id }) => id)).toEqual(kept ? [incident.id] : []);
});

test('an incident of which nobody can be told counts as not told, and is forgotten when it is over', () => {
  const line = timeline({ tells: false }).rounds(4, [CAUSE]);
  expect(line.state.incidents).toMatchObject([
    { status: 'open', lastNotified: null, awaitsDigest: false, thread: { count: 0 }, published: true },
  ]);
  expect(line.rounds(2, []).later(2 * HOUR).state.incidents).toEqual([]);
  expect(line.told).toEqual([]);
});

test('one that was told before is forgotten too: there is nobody left to hear its end', () => {
  const before = timeline().rounds(2, [CAUSE]);
  const line = Object.assign(timeline({ tells: false }), { state: before.state, now: before.now });
  expect(line.rounds(2, []).later(2 * HOUR).state.incidents).toEqual([]);
});
