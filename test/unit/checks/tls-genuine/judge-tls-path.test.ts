import { describe, expect, test } from 'vitest';
import type { DnsReply, EndpointObservation, HttpOutcome } from '../../../../src/core/observation.ts';
import type { PathObservation, ReferenceObservation } from '../../../../src/core/round.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import {
  controlChainsOf,
  judgeTlsPath,
  type JudgedTlsPath,
  tlsEvidence,
} from '../../../../src/checks/tls-genuine/judge-path.ts';
import { NO_SAMPLES } from '../../../../src/checks/intermittent/sampling.ts';
import { roundFactsOf } from '../../../../src/checks/round-facts.ts';
import { judgeCertificates } from '../../../../src/checks/tls-genuine/judge.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { chainOf, established, failed, handshake } from '../../../support/certificates/chains.ts';
import { HOST, TARGET } from '../../../support/certificates/interception-world.ts';
import { CONTEXT, judgedRound } from '../../../support/checks/judged-round.ts';
import { response } from '../../../support/checks/facts.ts';
import { endpoint, path, round } from '../../../support/checks/observed.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { freshKnowledge } from '../../../support/certificates/tls-knowledge.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const CONFIG = await configOf('site: hq');
const w = await createCast();
const KNOWLEDGE = freshKnowledge(w);
const SURROUNDINGS = { controls: [], now: w.now };
const [A, B, V6] = ['192.0.2.1', '192.0.2.2', '2001:db8::2'];

const genuine = [w.server, w.genuine.sub] as const;
const company = [w.byCorporateSub, w.corporate.sub] as const;
const newAuthority = [w.byNewSub, w.newSub] as const;

function at(address: string, ...chain: readonly Identity[]): EndpointObservation {
  return { ...endpoint(address), family: address.includes(':') ? 6 : 4, tls: established(...chain) };
}

function judge(...endpoints: readonly EndpointObservation[]): JudgedTlsPath {
  return judgeTlsPath(path({ subject: TARGET, host: HOST, endpoints }), KNOWLEDGE, SURROUNDINGS);
}

describe('judgeTlsPath()', () => {
  test('compares the certificate with what other networks receive for the same name, and for no other', () => {
    const probe = { network: 'Network', country: 'DE', issuer: null, notAfter: null };
    const results = [1, 2, 3].map((asn) => ({ ...probe, asn, fingerprint: w.server.fingerprint }));
    const certificate = { at: w.now, results, answer: null };
    const outside = { certificate, reach: null, addresses: null, reachedAt: null, asking: [], trouble: null };
    const seen = (serverName: string): string | undefined => {
      const one = at(A, ...company);
      const endpoints = [{ ...one, tls: one.tls === null ? null : { ...one.tls, serverName } }];
      return judgeTlsPath(path({ subject: TARGET, host: HOST, endpoints }), KNOWLEDGE, { ...SURROUNDINGS, outside })
        .worst?.verdict;
    };
    expect([seen(HOST), seen('another.example.com')]).toEqual(['intercepted', 'interception-suspected']);
  });

  const http: HttpOutcome = {
    kind: 'response',
    status: 200,
    date: null,
    receivedAt: w.now,
    server: null,
    proxyTraces: ['x-mwg-via'],
    blockPage: null,
    durationMs: 1,
  };
  const INTERCEPTED = 'intercepted confirmed';
  const SUSPECTED = 'interception-suspected suspected';
  const GENUINE = 'genuine confirmed';

  test.each<readonly [string, readonly EndpointObservation[], readonly string[]]>([
    ['the genuine key at another address', [at(A, ...company), at(B, ...genuine)], [INTERCEPTED, GENUINE]],
    ['the genuine key, of the other family', [at(A, ...company), at(V6, ...genuine)], [INTERCEPTED, GENUINE]],
    ['the same at another address', [at(A, ...company), at(B, ...company)], [SUSPECTED, SUSPECTED]],
    ['one address alone', [at(A, ...company)], [SUSPECTED]],
    [
      'one node renewed before the other',
      [at(A, ...newAuthority), at(B, ...genuine)],
      ['vendor-ca-changed suspected', GENUINE],
    ],
    [
      'headers of the answer at one address',
      [{ ...at(A, ...company), http }, at(B, ...company)],
      [INTERCEPTED, SUSPECTED],
    ],
  ])('%s', (_, endpoints, expected) => {
    const { endpoints: judged } = judge(...endpoints);
    expect(judged.map(({ judgement: { verdict, confidence } }) => `${verdict} ${confidence}`)).toEqual(expected);
  });
});

describe('what an address is judged on', () => {
  const answer = (...addresses: readonly string[]): DnsReply => ({
    kind: 'answer',
    rcode: 'NOERROR',
    addresses,
    cnames: [],
    ttlSeconds: 60,
    durationMs: 3,
    attempts: 1,
  });
  const named = (resolver: string, a: DnsReply, aaaa = answer()) => ({ resolver, name: HOST, a, aaaa });
  const evidenceOf = (more: Partial<PathObservation>) =>
    tlsEvidence(
      path({ subject: TARGET, host: HOST, endpoints: [at(A, ...company), at(B, ...genuine)], ...more }),
      KNOWLEDGE,
      SURROUNDINGS,
    ).map(({ evidence }) => evidence);
  const references = (more: Partial<PathObservation>) =>
    evidenceOf(more)[0]?.references.map(({ kind, label }) => `${kind} ${label}`);

  test.each<readonly [string, Partial<PathObservation>, readonly string[]]>([
    ['nobody named', {}, [`address ${B}`]],
    ['another resolver named', { names: [named('r1', answer(A)), named('r2', answer(B))] }, [`resolver r2: ${B}`]],
    ['two others named', { names: [named('r1', answer(B)), named('r2', answer(B))] }, [`resolver r1, r2: ${B}`]],
    ['the same one named as well', { names: [named('r1', answer(A, B)), named('r2', answer(B))] }, [`address ${B}`]],
    [
      'another resolver named, of the other family',
      {
        endpoints: [at(A, ...company), at(V6, ...genuine)],
        names: [named('r1', answer(A)), named('r2', answer(), answer(V6))],
      },
      [`address ${V6}`],
    ],
    ['showed nothing', { endpoints: [at(A, ...company), endpoint(B)] }, []],
  ])('is another address that %s', (_, more, expected) => {
    expect(references(more)).toEqual(expected);
  });

  const reference: ReferenceObservation = { kind: 'tls-1.2', label: A, outcome: established(...genuine) };
  test.each<readonly [string, ReferenceObservation, readonly string[]]>([
    ['with another name', { ...reference, kind: 'server-name', label: HOST }, [`server-name ${HOST}`]],
    ['without a chain', { ...reference, outcome: failed({}) }, []],
    ['in TLS 1.2', reference, [`tls-version TLS 1.2 at ${A}`]],
    ['in TLS 1.3', { ...reference, kind: 'tls-1.3' }, [`tls-version TLS 1.3 at ${A}`]],
    ['in TLS 1.2, of another address', { ...reference, label: B }, []],
  ])('is a look %s', (_, one, expected) => {
    expect(references({ endpoints: [at(A, ...company)], references: [one] })).toEqual(expected);
  });

  test('is the name that was asked for, and nothing of an address without a handshake', () => {
    const unnamed = { ...at(A, ...company), tls: handshake({ serverName: '' }, ...company) };
    const seen = evidenceOf({ endpoints: [endpoint(B), unnamed, at(B, ...genuine)] });
    expect(seen.map(({ serverName }) => serverName)).toEqual([null, 'license.example.test']);
  });

  test('is what control hosts showed', () => {
    const control = path({ subject: 'www.iana.org:443', endpoints: [at(A, ...company), endpoint(B)] });
    expect(controlChainsOf([control])).toEqual([{ target: 'www.iana.org:443', chain: chainOf(...company) }]);
  });
});

/** Returns the findings about the certificates of these addresses, which answer otherwise. */
function findingsAt(...endpoints: readonly EndpointObservation[]): ReturnType<typeof judgeCertificates> {
  const answering = endpoints.map((one) => (one.tls === null ? one : { ...one, http: response(200) }));
  const seen = round({ licenseServer: path({ subject: TARGET, host: HOST, endpoints: answering }), startedAt: w.now });
  const earlier = { sampling: NO_SAMPLES, answers: [], answered: new Set<string>(), roundTrips: new Map() };
  return judgeCertificates(roundFactsOf(CONFIG, seen, earlier, () => KNOWLEDGE).targets[0]);
}

describe('the findings of several addresses', () => {
  const told = (...endpoints: readonly EndpointObservation[]) =>
    findingsAt(...endpoints)?.map(({ level, claim, facts, clean }) => [
      level,
      /\(([\d.a-f:]+)\)\.$/u.exec(claim)?.[1],
      facts?.address,
      clean?.join(', '),
    ]);

  test('name their address where there are two', () => {
    expect(told(at(A, ...company), at(V6, ...genuine))?.[0]).toEqual(['broken', A, A, V6]);
    expect(told(at(A, ...company))?.[0]).toEqual(['broken', undefined, undefined, undefined]);
  });

  test('break nothing at an address that does not decide', () => {
    const levels = told(at(A, ...genuine), at(V6, ...company))?.map(([level]) => level);
    expect(levels).toContain('warning');
    expect(levels).not.toContain('broken');
    expect(told(at(A, ...genuine), at(V6, ...newAuthority))?.map(([level]) => level)).not.toContain('unknown');
  });

  test('are none where no handshake was tried', () => {
    expect(told()).toBeUndefined();
    expect(told(endpoint(A), endpoint(V6))).toBeUndefined();
  });

  test.each<readonly [string, readonly EndpointObservation[], readonly string[]]>([
    ['one of two is inspected', [at(A, ...company), at(B, ...genuine)], ['critical', A, B]],
    ['IPv6 alone is inspected', [at(A, ...genuine), at(V6, ...company)], ['warning', V6, A]],
    ['IPv4 alone is inspected', [at(A, ...company), at(V6, ...genuine)], ['critical', A, V6]],
    ['both are inspected', [at(A, ...company), at(V6, ...company)], ['critical']],
  ])('lead to one cause that names the bad and the clean addresses: %s', (_, endpoints, expected) => {
    const { causes } = diagnose(judgedRound(['tls-genuine', findingsAt(...endpoints) ?? []]), CONTEXT);
    const addresses = causes.flatMap(({ summary }) => summary.match(/192\.0\.2\.\d|2001:db8::\d/gu) ?? []);
    expect([...causes.map(({ severity }) => severity), ...addresses]).toEqual(expected);
  });
});
