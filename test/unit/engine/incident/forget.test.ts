import { expect, test } from 'vitest';
import { next } from '../../../../src/engine/incident/machine.ts';
import { EMPTY_STATE, type Incident, type Silence } from '../../../../src/engine/incident/incident.ts';
import { MINUTE, POLICY, START } from '../../../support/store/incident-timeline.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

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

test('a silence is dropped in the moment in which it is over', () => {
  const silence: Silence = { id: '1', cause: null, subject: null, from: 0, until: START, by: 'ops', comment: '' };
  const lasting = { ...silence, id: '2', until: START + 1 };
  const state = { ...EMPTY_STATE, silences: [silence, lasting] };
  expect(next(state, { kind: 'tick', at: START }, POLICY).state.silences).toEqual([lasting]);
});
