import { describe, expect, test } from 'vitest';
import { REPEAT } from '../../../../src/checks/tls-genuine/causes.ts';
import { shell } from '../../../../src/engine/model.ts';
import type { ReferenceObservation } from '../../../../src/core/round.ts';
import {
  isOlderInspected,
  judgeOlderTls as judgeOlderTlsUnchecked,
  mixedVersions,
} from '../../../../src/checks/tls-genuine/judge-older-tls.ts';
import { judgeTlsPath } from '../../../../src/checks/tls-genuine/judge-path.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { chainOf, established, failed } from '../../../support/certificates/chains.ts';
import { HOST, TARGET } from '../../../support/certificates/interception-world.ts';
import { endpoint, path } from '../../../support/checks/observed.ts';
import { freshKnowledge } from '../../../support/certificates/tls-knowledge.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeOlderTls = withPlainClaims(judgeOlderTlsUnchecked);

const w = await createCast();
const KNOWLEDGE = { ...freshKnowledge(w), products: w.evidence({}).products };
const A = '192.0.2.1';
const genuine = [w.server, w.genuine.sub] as const;
const company = [w.byCorporateSub, w.corporate.sub] as const;
const expired = await w.leaf(w.genuine.sub, { notAfter: new Date(w.now - 1) });
const fortigate = [w.byFortigate, w.fortigate] as const;

interface Seen {
  readonly newer?: readonly Identity[] | null;
  readonly older?: readonly Identity[];
  /** Additional connections in TLS 1.2 and in TLS 1.3 @default two of each, like the first ones */
  readonly again?: readonly [older: readonly (readonly Identity[])[], newer: readonly (readonly Identity[])[]] | null;
  /** TLS 1.3 was not observed at the same moment. */
  readonly alone?: true;
  readonly more?: Partial<ReferenceObservation>;
}

type Judged = Parameters<typeof judgeOlderTls>[0];

function judge(seen: Seen) {
  return judgeOlderTls(observed(seen));
}

function observed({ newer = genuine, older = company, again, alone, more = {} }: Seen): Judged {
  const [olderAgain, newerAgain] = again ?? [
    [older, older],
    [genuine, genuine],
  ];
  const reference: ReferenceObservation = {
    kind: 'tls-1.2',
    label: A,
    isFresh: true,
    ...(alone === true ? {} : { beside: chainOf(...genuine) }),
    outcome: established(...older),
    ...(again === null
      ? {}
      : {
          again: {
            older: olderAgain.map((chain) => established(...chain)),
            newer: newerAgain.map((chain) => established(...chain)),
          },
        }),
    ...more,
  };
  const tls = newer === null ? null : established(...newer);
  const seen = path({
    subject: TARGET,
    host: HOST,
    endpoints: [
      { ...endpoint('192.0.2.9'), tls },
      { ...endpoint(A), tls },
    ],
    references: [reference],
  });
  return judgedFacts(seen);
}

function judgedFacts(seen: Judged['path']): Judged {
  const surroundings = { controls: [], now: w.now };
  return { path: seen, tls: judgeTlsPath(seen, KNOWLEDGE, surroundings), knowledge: KNOWLEDGE, surroundings };
}

test('tells of an inspection of TLS 1.2 alone, and what to do', () => {
  const [finding, ...more] = judge({ older: fortigate });
  expect(more).toEqual([]);
  expect(finding).toMatchObject({
    rule: 'older-tls-is-not-inspected',
    subject: TARGET,
    claim: 'TLS 1.2 is inspected by Fortinet FortiGate, but TLS 1.3 is not.',
    expected: `The same result with TLS 1.2 as with TLS 1.3 at ${A}`,
    level: 'warning',
    suggests: 'tls-intercepted',
    confidence: 'confirmed',
    facts: { product: 'Fortinet FortiGate' },
  });
  const judgement = finding?.facts?.judgement ?? '';
  expect(judgement).toMatch(/intercepted/u);
  expect(finding?.advice?.summary).toBe(`With TLS 1.2 only: ${judgement}. TLS 1.3 works.`);
  expect(finding?.advice?.remedy).toEqual([
    'Find the device that inspects TLS 1.2 but not TLS 1.3, using the name of the issuer in the evidence.',
    `On that device, exempt FortiAuthenticator's traffic to ${TARGET} from inspection for all TLS versions.`,
    'Fortinet does not document which TLS version FortiAuthenticator uses. To find out, check the Server Hello ' +
      'in a capture.',
    REPEAT,
  ]);
});

test('tells of TLS 1.2 that is cut, and what to do', () => {
  const [finding, ...more] = judge({ more: { outcome: failed({ reason: 'reset' }) } });
  expect(more).toEqual([]);
  const judgement = `TLS to ${TARGET} is blocked: the connection was reset before a certificate was received`;
  expect(finding).toEqual({
    rule: 'older-tls-is-not-inspected',
    subject: TARGET,
    claim: 'TLS 1.2 is blocked, but TLS 1.3 is not.',
    expected: `The same result with TLS 1.2 as with TLS 1.3 at ${A}`,
    level: 'warning',
    suggests: 'tls-blocked',
    confidence: 'suspected',
    facts: { judgement },
    advice: {
      summary: `With TLS 1.2 only: ${judgement}. TLS 1.3 works.`,
      remedy: [
        shell(
          'Connect from another network. If TLS 1.2 fails there too, the server no longer supports it, and there ' +
            'is no fault.',
          'openssl s_client -tls1_2 -connect {server} -servername {host} </dev/null',
        ),
        'Find the device that blocks TLS 1.2 but not TLS 1.3. Search the application control, intrusion ' +
          'prevention and TLS inspection logs for {source} and {host}.',
        `On that device, exempt FortiAuthenticator's traffic to ${TARGET} for all TLS versions.`,
        'Fortinet does not document which TLS version FortiAuthenticator uses. To find out, check the Server ' +
          'Hello in a capture.',
        REPEAT,
      ],
    },
  });
});

const PAGE = 'HTTP/1.1 403 Forbidden FortiGate';

test('names the product of a page that answers TLS 1.2', () => {
  const [finding] = judge({ more: { outcome: failed({ reason: 'protocol', plaintext: PAGE }) } });
  expect(finding).toMatchObject({
    claim: 'TLS 1.2 is blocked by Fortinet FortiGate, but TLS 1.3 is not.',
    confidence: 'confirmed',
    facts: { product: 'Fortinet FortiGate' },
  });
});

test.each<readonly [string, Seen, readonly string[]]>([
  ['a stranger beside the genuine key', {}, ['tls-intercepted confirmed']],
  ['a stranger by itself', { alone: true }, ['tls-interception-suspected suspected']],
  ['an address that is gone', { more: { label: '192.0.2.7' } }, ['tls-intercepted confirmed']],
  ['the same certificate', { older: genuine }, []],
  ['silence', { more: { outcome: failed({ reason: 'timeout' }) } }, ['tls-blocked suspected']],
  ['a connection that is cut in every version', { newer: null, more: { outcome: failed({}) } }, []],
  ['an expired certificate of its own', { older: [expired, w.genuine.sub] }, []],
  ['one connection of each version', { again: null }, []],
  ['two connections in TLS 1.2', { again: [[company], [genuine, genuine]] }, []],
  ['two connections in TLS 1.3', { again: [[company, company], [genuine]] }, []],
  [
    'another one in TLS 1.2 that is clean',
    {
      again: [
        [company, genuine],
        [genuine, genuine],
      ],
    },
    [],
  ],
  [
    'another one in TLS 1.3 that is inspected',
    {
      again: [
        [company, company],
        [genuine, company],
      ],
    },
    [],
  ],
  ['what was seen while TLS 1.3 was inspected too', { more: { isFresh: false, beside: chainOf(...company) } }, []],
  [
    'what another node of the server was compared with',
    { more: { beside: chainOf(w.otherNode, w.genuine.sub) } },
    ['tls-intercepted confirmed'],
  ],
  ['a genuine certificate of its own', { older: [w.otherNode, w.genuine.sub] }, []],
  ['an inspection of every version', { newer: company }, []],
  ['no handshake at all', { newer: null }, []],
  ['a look at something else', { more: { kind: 'server-name' } }, []],
])('%s', (_, seen, expected) => {
  expect(judge(seen).map(({ suggests, confidence }) => `${String(suggests)} ${String(confidence)}`)).toEqual(expected);
});

test('a connection in TLS 1.3 without an answer proves no difference', () => {
  const again = {
    older: [established(...company), established(...company)],
    newer: [established(...genuine), failed({ reason: 'timeout' })],
  };
  expect(judge({ more: { again } })).toEqual([]);
});

test.each<readonly [string, Seen, boolean]>([
  ['it is', {}, true],
  ['it was once, whatever more connections show', { again: null }, true],
  ['TLS 1.2 is cut', { more: { outcome: failed({ reason: 'reset' }) } }, true],
  ['TLS 1.2 is clean', { older: [w.otherNode, w.genuine.sub] }, false],
  ['both are', { newer: company }, false],
  ['there was no handshake', { newer: null }, false],
])('isOlderInspected(): %s', (_, seen, expected) => {
  expect(isOlderInspected(observed(seen))).toBe(expected);
});

describe('mixedVersions()', () => {
  const mixed = (seen: Seen): readonly string[] => verdictsOf(mixedVersions(observed(seen)));
  const verdictsOf = (judged: ReturnType<typeof mixedVersions>): readonly string[] =>
    judged.map(({ endpoint: { address }, judgement }) => `${address} ${judgement.verdict} ${judgement.confidence}`);
  const MIXED: Seen['again'] = [
    [genuine, company],
    [genuine, company],
  ];
  const GENUINE = `${A} genuine confirmed`;
  /** Confirmed by the genuine key in TLS 1.3 at the same moment. */
  const INTERCEPTED = `${A} intercepted confirmed`;

  test('are the connections of both versions, at their address, where the version makes no difference', () => {
    expect(mixed({ again: MIXED })).toEqual([INTERCEPTED, GENUINE, INTERCEPTED, GENUINE, INTERCEPTED]);
    const outcomes = mixedVersions(observed({ again: MIXED })).map(({ endpoint: { tls }, outcome }) => {
      expect(tls).toBe(outcome);
      return outcome.chain;
    });
    const expected = [company, genuine, company, genuine, company].map((chain) => established(...chain).chain);
    expect(outcomes).toEqual(expected);
  });

  test('are the one connection where no more were made', () => {
    expect(mixed({ again: null })).toEqual([INTERCEPTED]);
    expect(mixed({ again: null, alone: true })).toEqual([`${A} interception-suspected suspected`]);
  });

  test.each<readonly [string, Seen]>([
    ['the version makes the difference', {}],
    ['they were made in an earlier round', { again: MIXED, more: { isFresh: false } }],
    ['TLS 1.2 is clean', { again: MIXED, older: [w.otherNode, w.genuine.sub] }],
    ['both versions show one certificate', { again: MIXED, older: genuine }],
    ['TLS 1.3 is inspected', { again: MIXED, newer: company }],
    ['there was no handshake', { again: MIXED, newer: null }],
  ])('are none where %s', (_, seen) => {
    expect(mixed(seen)).toEqual([]);
  });

  test('are none where nothing was dialled', () => {
    const seen = observed({ again: MIXED }).path;
    expect(mixedVersions(judgedFacts({ ...seen, endpoints: [] }))).toEqual([]);
    expect(isOlderInspected(judgedFacts({ ...seen, endpoints: [] }))).toBe(false);
  });
});
