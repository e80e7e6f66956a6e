import { describe, expect, test } from 'vitest';
import {
  burstOf,
  needsCloserLook,
  next,
  NO_SHARE,
  sharesOf,
  type PathShare,
} from '../../../../src/checks/intermittent/path-share.ts';
import {
  failedIn,
  type Connection,
  type ConnectionFault,
  type ConnectionShare,
} from '../../../../src/checks/intermittent/connection-share.ts';

type FailurePattern = ConnectionShare['pattern'];

const A = '173.243.138.84';
const V6 = '2001:db8::84';
const FAULT: ConnectionFault = {
  stage: 'reachability',
  cause: 'egress-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'No answer.',
};
const EVERY = 30_000;
/** Two bursts, after which none are left. */
const SPENT = 'xx(....................)'.repeat(2);

/** One connection per letter: `x` failed, `.` worked. */
function connections(pattern: string, address = A): readonly Connection[] {
  return Array.from(pattern, (letter) => ({ address, fault: letter === 'x' ? FAULT : null }));
}

/** Rounds of one connection each. Parentheses contain the burst of the round before them. */
function share(pattern: string, address = A): PathShare {
  const rounds = [...pattern.matchAll(/(?<own>[x.])(?:\((?<burst>[x.]+)\))?/gu)];
  return rounds.reduce<PathShare>((state, { groups = {} }, index) => {
    const { own = '', burst } = groups;
    return next(state, {
      at: index * EVERY,
      dialled: [address],
      connections: connections(own, address),
      burst: burst === undefined ? null : connections(burst, address),
    });
  }, NO_SHARE);
}

const MINUTE = 60_000;

/** Returns the addresses to which a burst is due. */
function burstDue(state: PathShare, at: number, complainedAt: number | null = null): readonly string[] {
  return [...new Set(burstOf(state, at, complainedAt))];
}

const HALF = connections('.x.x.x.x.x.x.x.x.x.x');

function look(at: number, made: readonly Connection[], before = NO_SHARE): PathShare {
  const dialled = [...new Set(made.map(({ address }) => address))];
  return next(before, { at, dialled, connections: made, burst: null });
}

describe('what the failures at one address are', () => {
  test.each<readonly [string, string, FailurePattern | undefined]>([
    ['nothing failed', '....', undefined],
    ['the first failure', '..x', 'steady'],
    ['every connection of the burst failed too', '.xx(xxxxxxxxxx)', 'steady'],
    ['the others of the burst worked', '.xx(....................)', 'single'],
    ['it worked this time', '.x.(....................)', undefined],
    ['one failed shortly after a burst', 'xx(....................)..x', 'steady'],
    ['one failed after the last burst', `${SPENT}..x`, 'doubtful'],
    ['two in a row failed after the last burst', `${SPENT}..xx`, 'doubtful'],
    ['three in a row failed after the last burst', `${SPENT}..xxx`, 'steady'],
    ['half of the burst failed', 'xx(.x.x.x.x.x.x.x.x.x.x)', 'intermittent'],
    ['half of the burst failed, and this connection worked', 'x.(.x.x.x.x.x.x.x.x.x.x)', 'intermittent'],
    ['every second round failed', 'x.x.x.x.x.x.x.x.x.', 'intermittent'],
    ['an outage that ended', `${'x'.repeat(50)}.`, undefined],
    ['an outage that ended, and a single failure', `${'x'.repeat(50)}...x`, 'steady'],
    ['an outage that ended within the burst', 'xx(xxxxxxxxxx..........)', 'single'],
    ['it came and went, and fails all the time now', `x.(.x.x.x.x.x.x.x.x.x.x)${'x'.repeat(21)}`, 'steady'],
  ])('%s', (_, outcomes, pattern) => {
    expect(share(outcomes).addresses[0]?.pattern).toBe(pattern);
  });

  test('a fault that came and went is past after so many connections that chance alone does not make them', () => {
    const bad = 'x.(.x.x.x.x.x.x.x.x.x.x)';
    expect(share(`${bad}${'.'.repeat(59)}`).addresses[0]?.pattern).toBe('intermittent');
    expect(share(`${bad}${'.'.repeat(62)}`).addresses).toEqual([]);
  });

  test('two addresses are told apart', () => {
    const seen = look(0, [...connections('x'), ...connections('.', V6)]);
    expect(seen.addresses.map(({ addresses, pattern }) => [addresses, pattern])).toEqual([[[A], 'steady']]);
  });

  test('a name that is dialled through a proxy is measured as an address is', () => {
    const name = 'fortitokenmobile.fortinet.com';
    expect(sharesOf(share('x.(.x.x.x.x.x.x.x.x.x.x)', name)).map(({ pattern }) => pattern)).toEqual(['intermittent']);
    expect(burstDue(share('...x', name), 3_600_000)).toEqual([name]);
  });

  test('an address that is not dialled any more is forgotten after half an hour', () => {
    const later = (at: number): PathShare => look(at, connections('.', V6), share('x'));
    expect(later(29 * 60_000).addresses.map(({ addresses }) => addresses)).toEqual([[A]]);
    expect(later(31 * 60_000).addresses).toEqual([]);
  });

  test.each([
    ['a third is grave', 'x.(xx.xx.xx.xx.xx.xx.xx)', true],
    ['a fifth is not', 'x.(x....x....x....x...x)', false],
  ])('%s', (_, pattern, grave) => {
    expect(share(pattern).addresses[0]?.grave).toBe(grave);
  });

  test('tells how many of how many failed', () => {
    const counts = (pattern: string): readonly number[] => {
      const [{ reported } = { reported: [] }] = share(pattern).addresses;
      return [failedIn(reported), reported.length];
    };
    expect(counts('xx(.x.x.x.x.x.x.x.x.x.x)')).toEqual([12, 22]);
    expect(counts('.xx(....................)')).toEqual([1, 21]);
  });
});

test.each([
  ['one that always works', '.', '..........', [A]],
  ['one that is intermittent as well', 'x', '.x.x.x.x.x', []],
])('an address that has always failed has an outage of its own beside %s: %s', (_, own, burst, outages) => {
  const [bad, other] = [A, '173.243.138.85'];
  const made = [...connections('x', bad), ...connections(own, other)];
  const more = [...connections('xxxxxxxxxx', bad), ...connections(burst, other)];
  const dialled = [bad, other];
  const first = next(NO_SHARE, { at: 0, dialled, connections: made, burst: null });
  const second = next(first, { at: EVERY, dialled, connections: made, burst: more });
  const third = next(second, { at: 2 * EVERY, dialled, connections: made, burst: null });
  expect(third.families.flatMap((family) => family.outages)).toEqual(outages);
});

describe('bursts', () => {
  test.each<readonly [string, string, boolean]>([
    ['none while everything works', '....', false],
    ['one after the first failure', '...x', true],
    ['none after a failure that is past', 'x.', false],
    ['none when many failed in a row: that is known', 'xxxxx', false],
    ['another one where too many failed for single failures', 'x.(....xx..x....x.x...)', true],
    ['none where few failed', 'x.(.......x............)', false],
    ['another one while the fault is intermittent', 'x.(.x.x.x.x.x.x.x.x.x.x)', true],
  ])('%s', (_, pattern, due) => {
    expect(burstDue(share(pattern), 3_600_000)).toEqual(due ? [A] : []);
  });

  test('come five minutes apart at the soonest where a fault is measured again', () => {
    const state = next(NO_SHARE, { at: 1_000, dialled: [A], connections: connections('x'), burst: HALF });
    expect(burstDue(state, 1_000 + 5 * MINUTE - 1)).toEqual([]);
    expect(burstDue(state, 1_000 + 5 * MINUTE)).toEqual([A]);
  });

  test('come at once for a failure that is new, until there were two in ten minutes', () => {
    const clean = 'xx(....................)';
    expect(burstDue(share(`${clean}x`), 2 * EVERY)).toEqual([A]);
    expect(burstDue(share(`${SPENT}x`), 4 * EVERY)).toEqual([]);
    expect(burstDue(share(`${SPENT}x`), EVERY + 10 * MINUTE - 1)).toEqual([]);
    expect(burstDue(share(`${SPENT}x`), EVERY + 10 * MINUTE)).toEqual([A]);
  });

  test('come for each of several outages, until there were six in ten minutes', () => {
    const outage = 'xx(xxxxxxxxxxxxxxxxxxxx).';
    const after = (outages: number): PathShare => share(`${outage.repeat(outages)}x`);
    expect(burstDue(after(5), 19 * EVERY)).toEqual([A]);
    expect(burstDue(after(6), 19 * EVERY)).toEqual([]);
    expect(share(`${outage.repeat(5)}.x`).addresses[0]?.pattern).toBe('steady');
  });

  test('come for a complaint of FortiAuthenticator while every connection from here works', () => {
    const at = 2 * EVERY;
    expect(burstDue(share('..'), at, at)).toEqual([A]);
    expect(burstDue(share('..'), at, at - 59_999)).toEqual([A]);
    expect(burstDue(share('..'), at, at - 60_000)).toEqual([]);
    expect(burstDue(share('..'), at)).toEqual([]);
    expect(burstDue(share('..'), EVERY)).toEqual([]);
    // One connection failed, but that is over.
    expect(burstDue(share('x.'), at, at)).toEqual([A]);
    expect(burstDue(share('xxxxxx'), at, at)).toEqual([]);
  });

  test('come for complaints five minutes apart, and three times an hour', () => {
    const asked = share('.(....................)');
    expect(asked.bursts).toEqual([{ at: 0, isAsked: true, isOutage: false }]);
    expect(burstDue(asked, 5 * MINUTE - 1, 5 * MINUTE - 1)).toEqual([]);
    expect(burstDue(asked, 5 * MINUTE, 5 * MINUTE)).toEqual([A]);
    const bursts = [0, 20, 40].map((minute) => ({ at: minute * 60_000, isAsked: true, isOutage: false }));
    const due = (at: number): readonly string[] => burstDue({ ...asked, bursts }, at, at);
    expect(due(60 * MINUTE - 1)).toEqual([]);
    expect(due(60 * MINUTE)).toEqual([A]);
    const others = bursts.map((burst) => ({ ...burst, isAsked: false }));
    expect(burstDue({ ...asked, bursts: others }, 60 * MINUTE - 1, 60 * MINUTE - 1)).toEqual([A]);
  });

  test('are remembered with what they were for and what came of them, for an hour', () => {
    const burst = (pattern: string): PathShare['bursts'] => share(pattern).bursts;
    expect(burst('xx(....)')).toEqual([{ at: EVERY, isAsked: false, isOutage: false }]);
    expect(burst('xx(xxxx)')).toEqual([{ at: EVERY, isAsked: false, isOutage: true }]);
    const unanswered = next(share('x'), { at: EVERY, dialled: [A], connections: connections('x'), burst: [] });
    expect(unanswered.bursts).toEqual([{ at: EVERY, isAsked: false, isOutage: false }]);
    const known = (at: number): number => look(at, connections('.'), share('x(....)')).bursts.length;
    expect([known(60 * MINUTE - 1), known(60 * MINUTE)]).toEqual([1, 0]);
  });

  test('a wall clock that was set back does not put them off', () => {
    const state = next(NO_SHARE, {
      at: 9_000_000,
      dialled: [A],
      connections: connections('x'),
      burst: connections('.x.x.x.x.x.x.x.x.x.x'),
    });
    expect(burstDue(state, 1_000)).toEqual([A]);
  });

  test('go to four addresses at most', () => {
    const many = Array.from({ length: 6 }, (_, index) => `192.0.2.${String(index)}`);
    const state = look(
      0,
      many.flatMap((address) => connections('x', address)),
    );
    expect(burstDue(state, 0)).toEqual(many.slice(0, 4));
    expect(burstOf(state, 0, null)).toHaveLength(20);
  });

  test.each<readonly [string, string, boolean]>([
    ['a failure that no burst has measured', '.x', true],
    ['one that the burst makes a single one', '.xx(....................)', true],
    ['one shortly after a burst', 'xx(....................)..x', true],
    ['one after the last burst', `${SPENT}..x`, true],
    ['too many failures for single ones', 'x.(....xx..x....x.x...)', true],
    ['the same without a burst that is left', `${SPENT}x.x.xx.x.`, false],
    ['nothing', '..', false],
    ['a known outage', 'xx(xxxxxxxxxxxxxxxxxxxx)', false],
    ['a fault that is known to come and go', 'x.(.x.x.x.x.x.x.x.x.x.x)', false],
  ])('%s asks for another round at once, or not', (_, pattern, wanted) => {
    expect(needsCloserLook(share(pattern), 100_000)).toBe(wanted);
  });

  test.each<readonly [string, string, string, boolean]>([
    ['a fault that comes and goes, and now fails in another way', 'x.(.x.x.x.x.x.x.x.x.x.x)', 'r', true],
    ['the same in the usual way', 'x.(.x.x.x.x.x.x.x.x.x.x)', 'x', false],
    ['an outage of another kind, without a burst that is left', `${SPENT}x..`, 'rrr', false],
  ])('%s asks for another round at once, or not', (_, pattern, latest, wanted) => {
    const reset: ConnectionFault = { ...FAULT, stage: 'tls-genuine', cause: 'tls-blocked' };
    const state = Array.from(latest).reduce<PathShare>(
      (before, letter) => look(100_000, [{ address: A, fault: letter === 'r' ? reset : FAULT }], before),
      share(pattern),
    );
    expect(needsCloserLook(state, 100_000)).toBe(wanted);
  });
});

describe('forged certificates', () => {
  const FORGED: ConnectionFault = {
    stage: 'tls-genuine',
    cause: 'tls-intercepted',
    confidence: 'confirmed',
    product: 'Zscaler',
    claim: 'Issued by Zscaler.',
  };
  const FAULTS: ReadonlyMap<string, ConnectionFault> = new Map([
    ['x', FAULT],
    ['f', FORGED],
    ['s', { ...FORGED, cause: 'tls-interception-suspected' }],
  ]);

  /** One round per letter: `f` is certainly forged, `s` perhaps, `x` is dropped. Parentheses contain the burst. */
  function after(pattern: string, every = EVERY): PathShare {
    const made = (letters: string): readonly Connection[] =>
      Array.from(letters, (letter) => ({ address: A, fault: FAULTS.get(letter) ?? null }));
    return [...pattern.matchAll(/(?<own>[xfs.])(?:\((?<burst>[xfs.]+)\))?/gu)].reduce<PathShare>(
      (state, { groups = {} }, index) =>
        next(state, {
          at: index * every,
          dialled: [A],
          connections: made(groups['own'] ?? ''),
          burst: groups['burst'] === undefined ? null : made(groups['burst']),
        }),
      NO_SHARE,
    );
  }

  test.each<readonly [string, string, number]>([
    ['one, and then genuine ones', 'f....', 1],
    ['one in each burst and round', 'f.(...f......f....)..f..', 4],
    ['those that are perhaps forged', 's...s..', 2],
    ['dropped packets', 'x...x..', 0],
    ['one that is not followed by a genuine one yet', '..f', 0],
    ['two rounds in a row: an inspection that has ended', 'ff.', 0],
    ['one more after two short inspections', 'ff..ff..f.', 1],
    ['two rounds in a row, and a genuine one in the second of them', 'ff(.)', 0],
    ['two in a row in a burst', '.(..ff..)', 2],
    ['four in a row in a burst', '.(..ffff.)', 4],
    ['more than a hundred, of which the last hundred are kept', `.(${'f.'.repeat(101)})`, 100],
    ['five in a row in a burst: all of it may be inspected', '.(..fffff..)', 0],
    ['an inspection that a burst has measured', 'ff(ffffffff)...', 0],
    ['two inspections', 'ffffff...ffffff..', 0],
    ['one among dropped packets, which is an outage', 'xfx.', 0],
    ['one among the dropped packets of a burst', '.(.xfx.)', 1],
  ])('are counted between genuine ones: %s', (_, pattern, count) => {
    expect(after(pattern).forgeries).toHaveLength(count);
  });

  test('are none of another address, which showed the genuine one', () => {
    const other = connections('.', V6);
    const first = look(0, [{ address: A, fault: FORGED }, ...other]);
    const second = look(EVERY, [...connections('.'), ...other], first);
    expect(second.forgeries).toEqual([{ at: EVERY, address: A, fault: FORGED }]);
  });

  test('count for an hour, each at its address', () => {
    expect(after('f.').forgeries).toEqual([{ at: EVERY, address: A, fault: FORGED }]);
    expect(after('f.f.', 20 * 60_000).forgeries.map(({ at }) => at)).toEqual([1_200_000, 3_600_000]);
    expect(after('f.f.', 30 * 60_000).forgeries.map(({ at }) => at)).toEqual([5_400_000]);
  });
});
