import { describe, expect, test } from 'vitest';
import type { Connection, ConnectionFault } from '../../../../src/checks/intermittent/connection-share.ts';
import { judgeShare } from '../../../../src/checks/intermittent/judge.ts';
import { next, NO_SHARE, type PathShare } from '../../../../src/checks/intermittent/path-share.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { endpoint, open, path } from '../../../support/checks/observed.ts';

const A = '173.243.138.84';
const FORGED: ConnectionFault = {
  stage: 'tls-genuine',
  cause: 'tls-intercepted',
  confidence: 'confirmed',
  product: 'Fortinet FortiGate',
  claim: 'Another issuer.',
};
const DROPPED: ConnectionFault = { ...FORGED, stage: 'reachability', cause: 'egress-blocked', confidence: 'suspected' };
const HALF = 'x.x.x.x.x.x.x.x.x.x.x';

/** One connection per letter: `x` failed, `.` worked. */
function connections(letters: string, fault: ConnectionFault): readonly Connection[] {
  return Array.from(letters, (letter) => ({ address: A, fault: letter === 'x' ? fault : null }));
}

function after(before: PathShare, letters: string, fault = FORGED): PathShare {
  return next(before, { at: 0, dialled: [A], connections: connections(letters, fault), burst: null });
}

function judged(share: PathShare, own: readonly Finding[] = []): readonly Finding[] {
  const stages = { reachability: [], 'tls-genuine': own };
  return judgeShare(stages, share, path({ endpoints: [endpoint(A, open())] }))['tls-genuine'] ?? [];
}

const brief = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ rule, level, suggests, facts }) => [rule, level, suggests ?? '-', facts?.address ?? '-'].join(' '));

describe('certificates that were forged now and then', () => {
  test.each<readonly [string, string, readonly string[]]>([
    ['one', '.x...................', []],
    ['two of many', '.x.......x...........', [`every-connection-works warning tls-intercepted ${A}`]],
    ['half of them, which the share says', HALF, [`every-connection-works broken tls-intercepted ${A}`]],
  ])('are a warning from the second on, however few they are: %s', (_, letters, expected) => {
    expect(brief(judged(after(NO_SHARE, letters)))).toEqual(expected);
  });

  test('say how many they were, and when and where the last one was', () => {
    const [found] = judged(after(NO_SHARE, '.x.......x...........'));
    expect(found).toMatchObject({
      claim:
        `2 connections within the last hour were intercepted, but others were not, most recently at ${A}: another ` +
        'issuer.',
      at: 0,
      confidence: 'confirmed',
      facts: { address: A, product: 'Fortinet FortiGate' },
    });
    expect(found?.advice?.summary).toBe(
      '2 connections to {subject} within the last hour were intercepted by Fortinet FortiGate, but others were ' +
        'not. One of several firewalls, links or proxies on the path inspects TLS.',
    );
    expect(judged(after(NO_SHARE, '.x.......x...........', DROPPED))).toEqual([]);
    // Also if TLS was not judged in this round.
    const unjudged = { reachability: [], 'tls-genuine': null };
    const seen = path({ endpoints: [endpoint(A, open())] });
    expect(judgeShare(unjudged, after(NO_SHARE, '.x.......x...........'), seen)['tls-genuine']).toHaveLength(1);
  });

  test('are no outage by themselves in the round that meets the next one, unless it lasts', () => {
    const forged = { rule: 'trusted', subject: 'server.test:443', claim: 'Forged.', expected: '', actual: '' } as const;
    const own: Finding = { ...forged, level: 'broken', suggests: 'tls-intercepted', facts: { address: A } };
    const before = after(NO_SHARE, `x${'.'.repeat(70)}`.repeat(2));
    const told = (letters: string): readonly string[] => brief(judged(after(before, letters), [own]));
    expect(told('x')).toEqual([`every-connection-works warning tls-intercepted ${A}`, `trusted note - ${A}`]);
    expect(told('xxxx')[1]).toBe(`trusted note - ${A}`);
    expect(told('xxxxx')).toEqual([`trusted broken tls-intercepted ${A}`]);
  });
});
