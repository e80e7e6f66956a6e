import { describe, expect, test } from 'vitest';
import { adjusted } from '../../../../src/checks/assess.ts';
import type { PollingReport } from '../../../../src/core/polling/report.ts';
import { everything } from '../../../support/checks/everything.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import type { Connection, ConnectionFault } from '../../../../src/checks/intermittent/connection-share.ts';
import { next, NO_SHARE, type PathShare } from '../../../../src/checks/intermittent/path-share.ts';
import { judgeTcp as judgeTcpUnchecked } from '../../../../src/checks/reachability/judge.ts';
import { judgeShare } from '../../../../src/checks/intermittent/judge.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CONTEXT, round } from '../../../support/checks/judged-round.ts';
import { endpoint, failed, open, path } from '../../../support/checks/observed.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeTcp = withPlainClaims(judgeTcpUnchecked);

const A = '173.243.138.84';
const B = '173.243.138.85';
const C = '173.243.138.86';
const V6 = '2001:db8::84';
const SHUT: ConnectionFault = {
  stage: 'reachability',
  cause: 'egress-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'No answer.',
};
const FORGED: ConnectionFault = {
  stage: 'tls-genuine',
  cause: 'tls-intercepted',
  confidence: 'confirmed',
  product: 'Fortinet FortiGate',
  claim: 'Another issuer.',
};

type Pattern = Readonly<Record<string, string>>;

function connections(pattern: Pattern, fault: ConnectionFault): readonly Connection[] {
  return Object.entries(pattern).flatMap(([address, letters]) =>
    Array.from(letters, (letter) => ({ address, fault: letter === 'x' ? fault : null })),
  );
}

/** Judges a round whose own connections are the first of each address. The rest are its burst. */
function judged(pattern: Pattern, fault: ConnectionFault = SHUT): ReturnType<typeof judgeShare> {
  const own = Object.fromEntries(Object.entries(pattern).map(([address, letters]) => [address, letters.slice(0, 1)]));
  const rest = Object.fromEntries(Object.entries(pattern).map(([address, letters]) => [address, letters.slice(1)]));
  const share = next(NO_SHARE, {
    at: 0,
    dialled: Object.keys(pattern),
    connections: connections(own, fault),
    burst: connections(rest, fault),
  });
  const endpoints = Object.entries(own).map(([address, letter]) => ({
    ...endpoint(address, letter === 'x' && fault === SHUT ? failed('timeout') : open()),
    family: address === V6 ? (6 as const) : (4 as const),
  }));
  return judgeShare({ reachability: judgeTcp(endpoints), 'tls-genuine': [] }, share, path({ endpoints }));
}

function brief(findings: readonly Finding[] | null): readonly string[] {
  return (findings ?? []).map(({ rule, level, suggests, facts, clean }) =>
    [
      rule,
      level,
      suggests ?? '-',
      facts?.address ?? '-',
      ...(clean === undefined ? [] : [`not ${clean.join(', ')}`]),
    ].join(' '),
  );
}

const HALF = 'x.x.x.x.x.x.x.x.x.x.x';
const FIFTH = '.x...x...x...x...x...x...x...x...';
const FINE = '.....................';

const QUIET: PollingReport = { window: 900_000, silentAfter: 86_400_000, appliances: [], firewallEvidence: [] };

describe('connections to the licence server that fail now and then', () => {
  test.each<readonly [string, Pattern, readonly string[]]>([
    ['half of them', { [A]: HALF }, [`every-connection-works broken egress-blocked ${A}`, `port-open note - ${A}`]],
    [
      'half of them, and not the one of this round',
      { [A]: `.${HALF}` },
      [`every-connection-works broken egress-blocked ${A}`],
    ],
    ['one of five', { [A]: FIFTH }, [`every-connection-works warning egress-blocked ${A}`]],
    ['a single one', { [A]: `x${FINE}` }, [`port-open note - ${A}`]],
    ['all', { [A]: 'x'.repeat(21) }, [`port-open broken egress-blocked ${A}`]],
    [
      'half at one address, none at another',
      { [A]: HALF, [B]: '.' },
      [`every-connection-works warning egress-partly-blocked ${A} not ${B}`, `port-open note - ${A} not ${B}`],
    ],
    [
      'half at both',
      { [A]: `.${HALF}`, [B]: `.${HALF}` },
      [`every-connection-works broken egress-blocked ${B}`, `every-connection-works broken egress-blocked ${A}`],
    ],
    [
      'half over IPv4, none over IPv6',
      { [A]: `.${HALF}`, [V6]: '.' },
      [`every-connection-works broken egress-blocked ${A} not ${V6}`],
    ],
    [
      'half over IPv6, none over IPv4',
      { [V6]: `.${HALF}`, [A]: '.' },
      [`every-connection-works warning egress-partly-blocked ${V6} not ${A}`],
    ],
  ])('%s', (_, pattern, expected) => {
    expect(brief(judged(pattern).reachability)).toEqual(expected);
  });

  test.each<readonly [string, Pattern, readonly string[]]>([
    ['all at another', { [A]: `.${HALF}`, [B]: 'x'.repeat(21) }, [`every-connection-works broken egress-blocked ${A}`]],
    [
      'a fifth at another',
      { [A]: `.${HALF}`, [B]: FIFTH },
      [`every-connection-works broken egress-blocked ${B}`, `every-connection-works broken egress-blocked ${A}`],
    ],
    [
      'a single one at another',
      { [A]: `.${HALF}`, [B]: `x${FINE}` },
      [`every-connection-works warning egress-blocked ${A}`],
    ],
  ])('half at one address, and %s', (_, pattern, expected) => {
    expect(
      brief(judged(pattern).reachability?.filter(({ rule }) => rule === 'every-connection-works') ?? null),
    ).toEqual(expected);
  });

  test.each<readonly [string, Pattern, string]>([
    ['half at one address, none at another', { [A]: `.${HALF}`, [B]: FINE }, `broken tls-intercepted ${A} not ${B}`],
    ['half at one address, all at another', { [A]: `.${HALF}`, [B]: 'x'.repeat(21) }, `broken tls-intercepted ${A}`],
    ['half over IPv6, none over IPv4', { [V6]: `.${HALF}`, [A]: FINE }, `warning tls-intercepted ${V6} not ${A}`],
    ['a fifth', { [A]: FIFTH }, `warning tls-intercepted ${A}`],
    ['a fifth at one address, none at another', { [A]: FIFTH, [B]: FINE }, `warning tls-intercepted ${A} not ${B}`],
  ])('inspected: %s', (_, pattern, expected) => {
    expect(brief(judged(pattern, FORGED)['tls-genuine'])).toEqual([`every-connection-works ${expected}`]);
  });

  test('a share that is inspected is told at the stage of TLS, with the product', () => {
    const { reachability, 'tls-genuine': tls } = judged({ [A]: `.${HALF}` }, FORGED);
    expect(reachability).toEqual([]);
    expect(brief(tls)).toEqual([`every-connection-works broken tls-intercepted ${A}`]);
    expect(tls?.[0]).toMatchObject({ confidence: 'confirmed', facts: { product: 'Fortinet FortiGate' } });
  });

  test.each<readonly [string, Pattern, readonly string[]]>([
    ['is intermittent', { [A]: `.${HALF}`, [B]: 'x'.repeat(21) }, []],
    ['always works', { [A]: FINE, [B]: 'x'.repeat(21) }, [`not ${A}`]],
    ['is intermittent, beside one that works', { [A]: `.${HALF}`, [B]: 'x'.repeat(21), [C]: FINE }, [`not ${C}`]],
  ])('an address that always fails is compared with no other that %s', (_, pattern, clean) => {
    const steady = judged(pattern).reachability?.filter(({ facts }) => facts?.address === B) ?? [];
    expect(brief(steady)).toEqual([[`port-open warning egress-partly-blocked ${B}`, ...clean].join(' ')]);
  });

  describe('what this round itself showed', () => {
    const seen = [endpoint(A, failed('timeout'))];
    const fault: Finding = {
      rule: 'leaf-as-learned',
      subject: 'server.test:443',
      claim: 'It has another key.',
      expected: 'a key',
      actual: 'another',
      level: 'broken',
      suggests: 'tls-intercepted',
    };
    const burst = (letters: string) =>
      next(NO_SHARE, {
        at: 0,
        dialled: [A],
        connections: connections({ [A]: 'x' }, SHUT),
        burst: connections({ [A]: letters }, SHUT),
      });
    const judgedOf = (letters: string, endpoints = seen) =>
      judgeShare({ reachability: null, 'tls-genuine': [fault] }, burst(letters), path({ endpoints }));

    test('is a note where all others worked, with the share', () => {
      expect(judgedOf(FINE)).toEqual({
        reachability: null,
        'tls-genuine': [
          {
            ...fault,
            level: 'note',
            suggests: null,
            claim: 'It has another key; 1 of the last 22 connections failed.',
            actual: 'another; 1 of the last 22 connections failed',
          },
        ],
      });
    });

    test('stands where it always fails', () => {
      expect(judgedOf('x'.repeat(21))['tls-genuine']).toEqual([fault]);
    });

    test('is left alone where it may be about another address', () => {
      expect(judgedOf(FINE, [...seen, endpoint(B)])['tls-genuine']).toEqual([fault]);
    });

    test('is left alone where the address is not dialled any more', () => {
      expect(judgedOf(FINE, [endpoint(B)])['tls-genuine']).toEqual([fault]);
    });

    test('is unknown where no burst is left', () => {
      const one = burst(FINE);
      const later = ['.', '.', 'x'].reduce<PathShare>(
        (state, letter, index) =>
          next(state, {
            at: (index + 1) * 30_000,
            dialled: [A],
            connections: connections({ [A]: letter }, SHUT),
            burst: null,
          }),
        { ...one, bursts: [...one.bursts, ...one.bursts] },
      );
      const { reachability } = judgeShare(
        { reachability: judgeTcp(seen), 'tls-genuine': null },
        later,
        path({ endpoints: seen }),
      );
      expect(brief(reachability)).toEqual([`port-open unknown - ${A}`]);
    });
  });

  test('names the proxy that some of the connections lead through', () => {
    const share = next(NO_SHARE, {
      at: 0,
      dialled: [A, B],
      connections: connections({ [A]: '.', [B]: '.' }, SHUT),
      burst: connections({ [A]: HALF, [B]: FINE }, SHUT),
    });
    const endpoints = [endpoint(A, open()), { ...endpoint(B, open()), proxy: '192.0.2.9:3128' }];
    const { reachability } = judgeShare({ reachability: [], 'tls-genuine': [] }, share, path({ endpoints }));
    expect(reachability?.[0]?.facts).toMatchObject({ address: A, proxy: '192.0.2.9:3128' });
  });

  test('is told alone at a stage that was not judged', () => {
    const share = next(NO_SHARE, {
      at: 0,
      dialled: [A],
      connections: connections({ [A]: '.' }, SHUT),
      burst: connections({ [A]: HALF }, SHUT),
    });
    const { reachability } = judgeShare(
      { reachability: null, 'tls-genuine': null },
      share,
      path({ endpoints: [endpoint(A, open())] }),
    );
    expect(brief(reachability)).toEqual([`every-connection-works broken egress-blocked ${A}`]);
  });

  test('tells the share, the part of the path, and how to find the one that is bad', () => {
    const [cause] = diagnose(round(['reachability', judged({ [A]: `.${HALF}` }).reachability ?? []]), CONTEXT).causes;
    expect(cause).toMatchObject({ id: 'egress-blocked', severity: 'critical', confidence: 'suspected' });
    expect(cause?.summary).toBe(
      'The fault is intermittent: of the last 21 connections to server.test:443, 11 were not opened. One of several ' +
        'firewalls, links or servers on the path is at fault.',
    );
    expect(cause?.evidence).toEqual([
      `11 of the last 21 connections failed, most recently at ${A}: no answer. Expected: every connection works.`,
    ]);
    expect(cause?.remedy.join('\n')).toContain(`nc -vz -w 5 -p 40001 ${A} 443`);
  });

  test('a small share is critical with the complaint of FortiAuthenticator, unless another address is clean', () => {
    const severity = (pattern: Pattern): string | undefined => {
      const assessments = adjusted(
        round(['reachability', judged(pattern).reachability ?? []]),
        everything({ log: { report: QUIET, complainedOf: ['reachability'] } }),
      );
      return diagnose(assessments, CONTEXT).causes[0]?.severity;
    };
    expect(severity({ [A]: FIFTH })).toBe('critical');
    expect(severity({ [A]: FIFTH, [B]: '.' })).toBe('warning');
  });
});
