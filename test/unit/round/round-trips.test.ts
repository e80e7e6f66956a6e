import { expect, test } from 'vitest';
import type { RoundFacts } from '../../../src/checks/check.ts';
import type { Finding } from '../../../src/engine/model.ts';
import type { EndpointObservation } from '../../../src/core/observation.ts';
import { CHECKS, type PreconditionId } from '../../../src/checks/registry.ts';
import { factsOf as factsOfRound } from '../../../src/round/facts.ts';
import { createInstruments } from '../../../src/round/instruments.ts';
import { createRoundTrips } from '../../../src/round/memory.ts';
import { failed as cutTls } from '../../support/certificates/chains.ts';
import { endpoint, failed, open, path, round } from '../../support/checks/observed.ts';
import { factsOf } from '../../support/checks/facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';

const A = '192.0.2.1';

/** The round trip that is known after these rounds, each with one connection. */
function knownAfter(connects: readonly EndpointObservation[], stalledMs = 0): number | undefined {
  const roundTrips = createRoundTrips();
  for (const one of connects) roundTrips.note(round({ licenseServer: path({ endpoints: [one] }), stalledMs }));
  return roundTrips.known().get(A);
}

function found(check: PreconditionId, facts: RoundFacts): readonly Finding[] {
  return CHECKS.flatMap((one) => (one.id === check ? one.judge(factsOf({ round: facts })).findings : []));
}

function after(...connects: readonly number[]): readonly EndpointObservation[] {
  return connects.map((ms) => endpoint(A, open(ms)));
}

test.each<readonly [string, readonly EndpointObservation[], number, number | undefined]>([
  ['the least of four connections', after(30, 22, 33, 24), 0, 22],
  ['not a SYN that was repeated', after(1030, 22, 33, 24, 1020, 25), 0, 22],
  ['not known if all SYNs were repeated while the process stalled', after(1008, 1009, 1008, 1012), 12, undefined],
  ['not known if SYNs of all but three were repeated', after(1000, 22, 33, 24, 1020), 0, undefined],
  ['the least that can be measured', after(4, 5, 4, 4), 0, 4],
  ['less the time for which the process stalled', after(30, 42, 33, 34), 18, 12],
  ['not known after three connections', after(30, 22, 33), 0, undefined],
  ['not known next door', after(5, 3.9, 9, 5), 0, undefined],
  ['not known to a busy process', after(30, 22, 33, 24), 20, undefined],
  ['not known through a proxy', after(30, 22, 33, 24).map((one) => ({ ...one, proxy: 'p:3128' })), 0, undefined],
  ['that of the latest connections, if the path changes', after(5, ...Array.from({ length: 20 }, () => 40)), 0, 40],
])('createRoundTrips() is %s', (_, connects, stalledMs, expected) => {
  expect(knownAfter(connects, stalledMs)).toBe(expected);
});

test('a round compares a refusal and a cut handshake with the connections so far', async () => {
  const clock = handClock(Date.UTC(2026, 10, 24, 13));
  const instruments = await createInstruments(await configOf('licenseServer: { host: server.test }'), {
    clock,
    env: {},
  });
  const assess = (check: PreconditionId, ...[seen, ...burst]: readonly EndpointObservation[]): unknown =>
    found(
      check,
      factsOfRound(instruments, round({ licenseServer: path({ endpoints: seen === undefined ? [] : [seen] }), burst })),
    ).map(({ kind, confidence }) => [kind, confidence]);
  const refused = endpoint(A, failed('refused'));
  const cut = { ...endpoint(A, open(25)), tls: cutTls({ reason: 'reset', durationMs: 2 }) };

  expect(assess('reachability', refused)).toEqual([[undefined, 'suspected']]);
  expect(assess('tls-genuine', cut)).toEqual([[undefined, 'suspected']]);
  for (const working of after(30, 22, 33)) expect(assess('reachability', working)).toEqual([]);
  expect(assess('reachability', refused)).toEqual([['refused-nearer', 'confirmed']]);
  expect(assess('tls-genuine', cut)).toEqual([
    ['answered-nearer', 'confirmed'],
    ['answered-nearer', 'confirmed'],
  ]);
});

test('a round counts the connections of a burst, so that the second round of a check is enough', async () => {
  const instruments = await createInstruments(await configOf('licenseServer: { host: server.test }'), {
    clock: handClock(Date.UTC(2026, 10, 24, 13)),
    env: {},
  });
  const cut = { ...endpoint(A, open(25)), tls: cutTls({ reason: 'reset', durationMs: 2 }) };
  const facts = factsOfRound(
    instruments,
    round({ licenseServer: path({ endpoints: [cut] }), burst: Array.from({ length: 20 }, () => cut) }),
  );
  expect(found('tls-genuine', facts)[0]).toMatchObject({
    kind: 'answered-nearer',
    confidence: 'confirmed',
  });
});
