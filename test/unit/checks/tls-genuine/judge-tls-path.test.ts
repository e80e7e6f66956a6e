import { describe, expect, test } from 'vitest';
import type { DnsReply, EndpointObservation, HttpOutcome } from '../../../../src/core/observation.ts';
import type { PathObservation, ReferenceObservation } from '../../../../src/core/round.ts';
import { controlChainsOf, judgeTlsPath, tlsEvidence } from '../../../../src/checks/tls-genuine/judge-path.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { chainOf, established, failed, handshake } from '../../../support/certificates/chains.ts';
import { HOST, TARGET } from '../../../support/certificates/interception-world.ts';
import { endpoint, path } from '../../../support/checks/observed.ts';
import { freshKnowledge } from '../../../support/certificates/tls-knowledge.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const w = await createCast();
const KNOWLEDGE = freshKnowledge(w);

function at(address: string, ...chain: readonly Identity[]): EndpointObservation {
  return { ...endpoint(address), family: address.includes(':') ? 6 : 4, tls: established(...chain) };
}

function verdicts(endpoints: readonly EndpointObservation[]): readonly string[] {
  const seen = path({ subject: TARGET, host: HOST, endpoints });
  return judgeTlsPath(seen, KNOWLEDGE, { controls: [], now: w.now }).endpoints.map(
    ({ judgement: { verdict, confidence } }) => `${verdict} ${confidence}`,
  );
}

const genuine = [w.server, w.genuine.sub] as const;
const company = [w.byCorporateSub, w.corporate.sub] as const;

describe('judgeTlsPath()', () => {
  test.each(['192.0.2.2', '2001:db8::2'])(
    'takes the genuine key at %s for a witness against another address',
    (other) => {
      expect(verdicts([at('192.0.2.1', ...company), at(other, ...genuine)])).toEqual([
        'intercepted confirmed',
        'genuine confirmed',
      ]);
    },
  );

  test('has no witness in an address that shows the same', () => {
    expect(verdicts([at('192.0.2.1', ...company), at('192.0.2.2', ...company)])).toEqual([
      'interception-suspected suspected',
      'interception-suspected suspected',
    ]);
  });

  test('has no witness in itself', () => {
    expect(verdicts([at('192.0.2.1', ...company)])).toEqual(['interception-suspected suspected']);
  });

  test('takes a node that is renewed before the other for what it is', () => {
    expect(verdicts([at('192.0.2.1', w.byNewSub, w.newSub), at('192.0.2.2', ...genuine)])).toEqual([
      'vendor-ca-changed suspected',
      'genuine confirmed',
    ]);
  });

  test('looks at the headers of the answer on the same connection', () => {
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
    expect(verdicts([{ ...at('192.0.2.1', ...company), http }, at('192.0.2.2', ...company)])).toEqual([
      'intercepted confirmed',
      'interception-suspected suspected',
    ]);
  });
});

describe('what an address is judged on', () => {
  const [A, B] = ['192.0.2.1', '192.0.2.2'];
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
      { controls: [], now: w.now },
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
        endpoints: [at(A, ...company), at('2001:db8::2', ...genuine)],
        names: [named('r1', answer(A)), named('r2', answer(), answer('2001:db8::2'))],
      },
      ['address 2001:db8::2'],
    ],
    ['showed nothing', { endpoints: [at(A, ...company), endpoint(B)] }, []],
  ])('is another address that %s', (_, more, expected) => {
    expect(references(more)).toEqual(expected);
  });

  const reference: ReferenceObservation = {
    kind: 'proxy',
    label: 'p:3128',
    isFresh: true,
    outcome: established(...genuine),
  };
  const older: ReferenceObservation = { ...reference, kind: 'tls-1.2', label: A, isFresh: false };
  test.each<readonly [string, ReferenceObservation, readonly string[]]>([
    ['of this round', reference, ['proxy p:3128']],
    ['of an earlier one', { ...reference, isFresh: false }, []],
    ['without a chain', { ...reference, outcome: failed({}) }, []],
    ['in TLS 1.2, of this certificate', { ...older, beside: chainOf(...company) }, [`tls-version TLS 1.2 at ${A}`]],
    ['in TLS 1.2, of another certificate', { ...older, beside: chainOf(...genuine) }, []],
    ['in TLS 1.2, of another address', { ...older, label: B, beside: chainOf(...company) }, []],
  ])('is a look %s', (_, one, expected) => {
    expect(references({ endpoints: [at(A, ...company)], references: [one] })).toEqual(expected);
  });

  test('is the name that was asked for, and nothing of an address without a handshake', () => {
    const unnamed = { ...at(A, ...company), tls: handshake({ serverName: '' }, ...company) };
    expect(
      evidenceOf({ endpoints: [endpoint(B), unnamed, at(B, ...genuine)] }).map(({ serverName }) => serverName),
    ).toEqual([null, 'license.example.test']);
  });

  test('is what control hosts showed', () => {
    const control = path({ subject: 'www.iana.org:443', endpoints: [at(A, ...company), endpoint(B)] });
    expect(controlChainsOf([control])).toEqual([{ target: 'www.iana.org:443', chain: chainOf(...company) }]);
  });
});

describe('the findings of several addresses', () => {
  const [A, V6] = ['192.0.2.1', '2001:db8::1'];
  const told = (...endpoints: readonly EndpointObservation[]) => {
    const seen = path({ subject: TARGET, host: HOST, endpoints });
    const { worst } = judgeTlsPath(seen, KNOWLEDGE, { controls: [], now: w.now });
    return worst?.findings.map(({ level, claim, facts, clean }) => [
      level,
      /\(([\d.a-f:]+)\)\.$/u.exec(claim)?.[1],
      facts?.address,
      clean?.join(', '),
    ]);
  };

  test('name their address where there are two', () => {
    expect(told(at(A, ...company), at(V6, ...genuine))?.[0]).toEqual(['broken', A, A, V6]);
    expect(told(at(A, ...company))?.[0]).toEqual(['broken', undefined, undefined, undefined]);
  });

  test('break nothing at an address that does not decide', () => {
    const levels = told(at(A, ...genuine), at(V6, ...company))?.map(([level]) => level) ?? [];
    expect(levels).toContain('warning');
    expect(levels).not.toContain('broken');
    const open = told(at(A, ...genuine), at(V6, w.byNewSub, w.newSub))?.map(([level]) => level) ?? [];
    expect(open).not.toContain('unknown');
  });

  test('are none where no handshake was tried', () => {
    expect(told()).toBeUndefined();
    expect(told(endpoint(A), endpoint(V6))).toBeUndefined();
  });
});
