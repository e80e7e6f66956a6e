import { expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import { NO_SAMPLES } from '../../../src/checks/intermittent/sampling.ts';
import { roundFactsOf } from '../../../src/checks/round-facts.ts';
import type { DnsReply, EndpointObservation } from '../../../src/core/observation.ts';
import type { PathObservation } from '../../../src/core/round.ts';
import { established, failed as failedTls } from '../../support/certificates/chains.ts';
import { HOST, TARGET } from '../../support/certificates/interception-world.ts';
import { freshKnowledge } from '../../support/certificates/tls-knowledge.ts';
import { createCast } from '../../support/certificates/verdict-cast.ts';
import { factsOf, response, shown } from '../../support/checks/facts.ts';
import { finding } from '../../support/checks/judged-round.ts';
import { endpoint, failed, path, picture, round } from '../../support/checks/observed.ts';
import { configOf } from '../../support/config/config-of.ts';

const w = await createCast();
const config = await configOf('site: hq');
const KNOWLEDGE = freshKnowledge(w);
const [A, B, PRIVATE] = ['173.243.138.84', '173.243.138.85', '10.9.9.9'];
const NOTHING = { sampling: NO_SAMPLES, answers: [], answered: new Set<string>(), roundTrips: new Map() };

function working(address: string): EndpointObservation {
  return { ...endpoint(address), tls: established(w.server, w.genuine.sub), http: response(200) };
}

function named(...addresses: readonly string[]): PathObservation['names'] {
  const told = { kind: 'answer', rcode: 'NOERROR', cnames: [], ttlSeconds: 60, durationMs: 1, attempts: 1 } as const;
  const a: DnsReply = { ...told, addresses };
  return [{ resolver: 'udp://10.0.0.53:53', name: HOST, a, aaaa: { ...told, addresses: [] } }];
}

test.each<readonly [string, EndpointObservation, PathObservation['names'], readonly string[]]>([
  ['works as well', working(B), [], [A, B]],
  ['does not open', { ...working(B), tcp: failed('timeout'), tls: null, http: null }, [], [A]],
  ['breaks the handshake', { ...working(B), tls: failedTls({}), http: null }, [], [A]],
  ['has another certificate', { ...working(B), tls: established(w.byCorporateSub, w.corporate.sub) }, [], [A]],
  ['was not asked', { ...working(B), http: null }, [], [A]],
  ['has an error', { ...working(B), http: response(503) }, [], [A]],
  ['wants a certificate', { ...working(B), http: { kind: 'client-certificate-demanded', durationMs: 1 } }, [], [A, B]],
  ['is not the server of this name', working(PRIVATE), named(PRIVATE), [A]],
])('an address works if every stage does: the other one %s', (_, other, names, expected) => {
  const licenseServer = path({ subject: TARGET, host: HOST, endpoints: [working(A), other], names });
  const seen = round({ licenseServer, startedAt: w.now });
  expect(roundFactsOf(config, seen, NOTHING, () => KNOWLEDGE).targets[0].clean).toEqual(expected);
});

test('a fault that was seen only once is not known, and a warning stays one', () => {
  const tls = [finding('tls-blocked'), finding('vendor-ca-changed', { level: 'warning' })];
  const levels = (unconfirmed: readonly string[]): readonly string[] =>
    CHECKS.filter(({ id }) => id === 'tls-genuine').flatMap((check) =>
      check.judge(factsOf({ round: shown({ tls }), unconfirmed })).findings.map(({ level }) => level),
    );
  expect(levels(['reachability'])).toEqual(['broken', 'warning']);
  expect(levels(['tls-genuine'])).toEqual(['unknown', 'warning']);
});

/** Freezes what a check could change by mistake. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

test.each(CHECKS)('$id says the same about the same facts, and changes none', (check) => {
  const facts = factsOf({
    round: shown({ port: failed('timeout'), tls: [finding('tls-blocked')], names: named(PRIVATE) }),
    picture: picture({ peers: [{ kind: 'failed', peer: 'dmz', reason: 'timeout', message: '', durationMs: 1 }] }),
  });
  const first = frozen(check.judge(frozen(facts)));
  expect(check.judge(facts)).toEqual(first);
});
