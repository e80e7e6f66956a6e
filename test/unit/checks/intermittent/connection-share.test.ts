import { describe, expect, test } from 'vitest';
import {
  byAddress,
  clear,
  deservesBurst,
  hasFailedOtherwise,
  mainFault,
  shareAfter,
  without,
  type Connection,
  type ConnectionFault,
  type ConnectionShare,
} from '../../../../src/checks/intermittent/connection-share.ts';

type FailurePattern = ConnectionShare['pattern'];

const A = '192.0.2.1';
const B = '192.0.2.2';
const FAULT: ConnectionFault = {
  stage: 'reachability',
  cause: 'egress-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'No answer.',
};

const RESET: ConnectionFault = { ...FAULT, stage: 'tls-genuine', cause: 'tls-blocked', claim: 'A reset.' };

const BOTH: readonly ConnectionFault['cause'][] = ['egress-blocked', 'tls-blocked'];

/** One connection per letter: `x` failed, `r` was reset, `.` worked. */
function connections(letters: string, address = A, fault = FAULT): readonly Connection[] {
  const faults: Readonly<Record<string, ConnectionFault>> = { x: fault, r: RESET };
  return Array.from(letters, (letter) => ({ address, fault: faults[letter] ?? null }));
}

/** Returns the share after rounds of one connection each, without bursts. */
function after(letters: string, share: ConnectionShare = clear([A])): ConnectionShare {
  return connections(letters).reduce(
    (known, connection) => shareAfter(known, { own: [connection], more: [], burstsSpent: false }),
    share,
  );
}

test('nothing is known at first', () => {
  expect(clear([A])).toEqual({
    addresses: [A],
    rotates: false,
    pattern: 'none',
    reported: [],
    trail: [],
    score: 0,
    returns: 0,
    intermittent: false,
    grave: false,
  });
});

describe('an intermittent fault', () => {
  test.each<readonly [string, string, FailurePattern]>([
    ['was back twice, and failed often enough', 'x.x.xxxx', 'intermittent'],
    ['was back twice, and failed too seldom', 'x.x.xxx', 'steady'],
    ['was back once, however often it failed', 'x.xxxxxxxxx', 'steady'],
    ['was an outage of five that came back', 'xxxxx..xxxxxxxxxx', 'steady'],
    ['was many outages of five', 'xxxxx..'.repeat(6).concat('x'), 'steady'],
    ['was a run of four, which is no outage, and came back', 'xxxx..xxxxxxxxx', 'steady'],
    ['was single failures around an outage', 'x.....xxxxxxxx........x', 'steady'],
    ['was two runs of four, after which single ones came back', 'xxxx..xxxx.x', 'intermittent'],
    ['was three runs of three, soon after each other', 'xxx..xxx...xx', 'intermittent'],
    ['was one, four, and two after a longer pause', 'x..xxxx......xx', 'intermittent'],
    ['was three runs of four with pauses as long: outages', 'xxxx....xxxx....xxxx', 'steady'],
    ['was two runs of four, and begins again', 'xxxx....xxxx...xx', 'steady'],
    ['fails twenty times in a row', `x.x.xxxx.${'x'.repeat(20)}`, 'intermittent'],
    ['fails so often in a row that it does not go any more', `x.x.xxxx.${'x'.repeat(21)}`, 'steady'],
  ])('%s', (_, letters, pattern) => {
    expect(after(letters).pattern).toBe(pattern);
  });

  test.each<readonly [string, string, FailurePattern, readonly ConnectionFault['cause'][]]>([
    ['an outage that ended, and then fails in another way', 'xxxxx..rrrrrrrrr', 'steady', ['tls-blocked']],
    ['the same for a moment', 'xxxxx..r', 'steady', ['tls-blocked']],
    ['an outage that fails in another way while it lasts', 'xxxxxr', 'steady', ['tls-blocked']],
    ['single failures of two kinds', 'x..r', 'steady', BOTH],
    ['an intermittent fault, and then four of another kind', 'x.x.xxxx.rrrr', 'intermittent', BOTH],
    ['an intermittent fault, and then five of another kind', 'x.x.xxxx.rrrrr', 'steady', ['tls-blocked']],
    ['an intermittent fault of two kinds', 'x.r.xxxx.rrrrr', 'intermittent', BOTH],
  ])('is one fault: %s', (_, letters, pattern, causes) => {
    const share = after(letters);
    const seen = new Set(share.trail.flatMap(({ fault }) => fault?.cause ?? []));
    expect({ pattern: share.pattern, seen }).toEqual({ pattern, seen: new Set(causes) });
  });

  test('is there when one of several connections of a round fails', () => {
    const own = [...connections('x'), ...connections('.', B)];
    expect(shareAfter(clear([A, B]), { own, more: [], burstsSpent: false }).pattern).toBe('steady');
  });

  test('is no chance where somebody showed a certificate, however few bursts are left', () => {
    const first = (fault: ConnectionFault): FailurePattern =>
      shareAfter(clear([A]), { own: connections('x', A, fault), more: [], burstsSpent: true }).pattern;
    expect(first(FAULT)).toBe('doubtful');
    expect(first({ ...FAULT, cause: 'tls-intercepted', confidence: 'confirmed' })).toBe('steady');
    expect(first({ ...FAULT, cause: 'tls-interception-suspected' })).toBe('steady');
    expect(first({ ...FAULT, confidence: 'confirmed' })).toBe('steady');
  });

  test('may be chance beside a connection that works, and not beside a certificate that somebody showed', () => {
    const beside = (fault: ConnectionFault | null): FailurePattern => {
      const own = [...connections('x'), { address: B, fault }];
      return shareAfter(clear([A, B]), { own, more: [], burstsSpent: true }).pattern;
    };
    expect(beside(null)).toBe('doubtful');
    expect(beside({ ...FAULT, cause: 'tls-intercepted' })).toBe('steady');
  });

  test.each<readonly [string, string, boolean]>([
    ['three successes after a long outage', `x.x.xxxx.${'x'.repeat(21)}...`, false],
    ['two successes after a long outage', `x.x.xxxx.${'x'.repeat(21)}..`, true],
    ['three successes after a shorter outage', `x.x.xxxx.${'x'.repeat(20)}...`, true],
    ['twenty successes after five failures', `x.x.xxxx.xxxxx${'.'.repeat(20)}`, false],
    ['nineteen successes after five failures', `x.x.xxxx.xxxxx${'.'.repeat(19)}`, true],
    ['twenty successes after four failures', `x.x.xxxx.xxxx${'.'.repeat(20)}`, true],
    ['so many successes that chance explains none of the failures', `x.x.xxxx.x${'.'.repeat(62)}`, false],
    ['fewer of them', `x.x.xxxx.x${'.'.repeat(61)}`, true],
    ['three successes after an outage long after it', `x.x.xxxx.x${'.'.repeat(30)}${'x'.repeat(10)}...`, true],
  ])('after %s it is over, or not', (_, letters, intermittent) => {
    expect(after(letters).intermittent).toBe(intermittent);
  });

  test.each<readonly [string, string, number]>([
    ['an outage of five', 'xxxxx.', 0],
    ['four failures', 'xxxx.', 5],
    ['an outage after a single failure long ago', `x${'.'.repeat(8)}xxxxxx.`, 0],
    ['an outage just after a single failure', 'x.xxxxx.', 0],
  ])('the repair of %s leaves a trail of so many connections', (_, letters, length) => {
    expect(after(letters).trail).toHaveLength(length);
  });

  describe('of addresses that take turns', () => {
    const turns = (letters: readonly (readonly [string, string])[], rotates: boolean): ConnectionShare =>
      letters
        .flatMap(([address, some]) => connections(some, address))
        .reduce(
          (known, connection) => shareAfter(known, { own: [connection], more: [], burstsSpent: false }),
          clear([A, B], rotates),
        );
    const TWICE = [
      [A, 'xxxxxx'],
      [B, '......'],
      [A, 'x'],
    ] as const;

    test('one that always fails is one fault from its return on', () => {
      expect(turns(TWICE, true)).toMatchObject({ pattern: 'intermittent', returns: 2 });
      expect(turns(TWICE, false)).toMatchObject({ pattern: 'steady', returns: 1 });
    });

    test('many that fail once and work once are one fault', () => {
      const six = Array.from({ length: 6 }, (_, index) => [`192.0.2.${String(index)}`, 'x.'] as const);
      expect(turns(six, false).intermittent).toBe(true);
    });

    test('one that fails twice after it has worked four times is one more of a fault that alternates', () => {
      const early = [
        [A, 'x'],
        [B, '..'],
        [A, 'xxx'],
        [B, '..xx'],
      ] as const;
      expect(turns(early, true).pattern).toBe('intermittent');
    });

    test('an outage of all of them is none', () => {
      const all = [
        [A, '.xxx'],
        [B, 'xxx...'],
        [A, '...xxx'],
        [B, 'xxx'],
        [A, 'x.'],
      ] as const;
      expect(turns(all, true)).toMatchObject({ intermittent: false });
      const lasting = [
        [A, 'xxxx...'],
        [B, 'x'],
        [A, '...xxx'],
        [A, 'x'.repeat(90)],
      ] as const;
      expect(turns(lasting, true)).toMatchObject({ intermittent: false, pattern: 'steady', returns: 2 });
    });

    test('is over with its own repair, and not while another one answers', () => {
      const away = [
        [A, 'xxxxxx'],
        [B, '.'.repeat(8)],
      ] as const;
      expect(turns(away, true).trail).toHaveLength(14);
      expect(turns([...away, [A, '.']], true).trail).toHaveLength(0);
      expect(turns([...away, [B, '....']], false).trail).toHaveLength(0);
      const both = [
        [A, 'xxx'],
        [B, 'xxx'],
      ] as const;
      expect(turns([...both, [A, '.']], false).trail).toHaveLength(7);
      expect(turns([...both, [A, '.'], [B, '.']], false).trail).toHaveLength(0);
    });

    test('is over with the repair of what failed last, wherever a single one failed before', () => {
      const single = [
        [B, 'x'],
        [A, '.xxxxxx.'],
      ] as const;
      expect(turns(single, false).trail).toHaveLength(0);
    });

    test('that failed again with its return is not over with the first success', () => {
      const again = [
        [A, 'xxxxxx'],
        [B, '.'.repeat(60)],
        [A, 'xxxxx'],
      ] as const;
      expect(turns(again, true)).toMatchObject({ intermittent: false, returns: 2 });
      expect(turns([...again, [A, '.']], true).trail).toHaveLength(72);
      expect(turns([...again, [A, '.'.repeat(20)]], true).trail).toHaveLength(0);
    });
  });

  test('of one address beside another that always works is none of both', () => {
    const made = Array.from({ length: 10 }, () => [...connections('.', B), ...connections('x')]).flat();
    const share = shareAfter(clear([A, B]), { own: made, more: [], burstsSpent: false });
    expect(share).toMatchObject({ intermittent: false, returns: 9 });
  });

  test('is grave from a third on, and until it is less than a fifth', () => {
    const burst = (letters: string): ConnectionShare =>
      shareAfter(clear([A]), { own: connections('x'), more: connections(letters), burstsSpent: false });
    expect(burst('..x..x..x..x..x..x..').grave).toBe(true);
    expect(burst('..x..x..x..x..x..x...').grave).toBe(false);
    const half = after('x.'.repeat(11));
    expect(after('.'.repeat(20), half)).toMatchObject({ pattern: 'intermittent', grave: true });
    expect(after('.'.repeat(32), half).grave).toBe(false);
  });

  test('is as grave as the addresses are on the average, however often each was dialled', () => {
    const more = [...connections('x'.repeat(4)), ...connections('.'.repeat(40), B)];
    expect(shareAfter(clear([A, B]), { own: more.slice(0, 1), more: more.slice(1), burstsSpent: false }).grave).toBe(
      true,
    );
  });
});

test.each([
  [0, 42],
  [1, 42],
  [3, 126],
  [6, 168],
])('of %i addresses that take turns, the last %i connections count', (places, count) => {
  const addresses = Array.from({ length: places }, (_, index) => `192.0.2.${String(index)}`);
  expect(after('x'.repeat(200), clear(addresses)).trail).toHaveLength(count);
});

describe('without()', () => {
  const both = shareAfter(clear([A, B]), {
    own: [...connections('x'), ...connections('x', B)],
    more: [...connections('.x'), ...connections('xx', B)],
    burstsSpent: false,
  });

  test('counts as if an address had never been dialled', () => {
    const expected = shareAfter(clear([A, B]), {
      own: connections('x'),
      more: connections('.x'),
      burstsSpent: false,
    });
    const { trail, score, returns } = without(both, [B]);
    expect({ trail, score, returns }).toEqual({
      trail: expected.trail,
      score: expected.score,
      returns: expected.returns,
    });
  });

  test('leaves alone what has nothing of it', () => {
    expect(without(both, ['192.0.2.9'])).toBe(both);
  });
});

describe('mainFault()', () => {
  const share = (trail: readonly Connection[]): ConnectionShare => ({ ...clear([A]), trail });

  test('is what most of the failures were, as it was seen last', () => {
    const late = { ...RESET, claim: 'A reset, lately.' };
    const trail = [
      ...connections('xx'),
      ...connections('xx', A, RESET),
      ...connections('x.', A, late),
      ...connections('x'),
    ];
    expect(mainFault(share([...trail, ...connections('xx', B, late), ...connections('x', B)]))).toEqual(late);
    expect(mainFault(share([...trail, ...connections('xx', B)]))).toEqual(FAULT);
  });

  test('is none where nothing failed', () => {
    expect(mainFault(share(connections('..')))).toBeNull();
  });
});

test('byAddress() counts each address by itself, the worst first', () => {
  expect(byAddress([...connections('..x'), ...connections('xx.', B), ...connections('.', '192.0.2.3')])).toEqual([
    { address: B, failed: 2, of: 3 },
    { address: A, failed: 1, of: 3 },
    { address: '192.0.2.3', failed: 0, of: 1 },
  ]);
});

test.each([
  ['what never failed', '', false],
  ['what works again', 'x.', false],
  ['failures that came back twice, and are about to be too many for single ones', 'x.x.x.', true],
  ['the same a while later', 'x.x.x..', false],
  ['the same once more', 'x.x..x.x', true],
])('a burst is due, or not, to %s', (_, letters, due) => {
  expect(deservesBurst(after(letters))).toBe(due);
});

test('the same cause at another stage is another fault', () => {
  const other: ConnectionFault = { ...FAULT, stage: 'tls-genuine' };
  expect(hasFailedOtherwise(after('xx'))).toBe(false);
  expect(hasFailedOtherwise(after('x.'))).toBe(false);
  const share = (letters: string): ConnectionShare =>
    shareAfter(after(letters), { own: connections('x', A, other), more: [], burstsSpent: false });
  expect(hasFailedOtherwise(share('xx'))).toBe(true);
  expect(share('xx').trail).toHaveLength(3);
  expect(share('xxxxx').trail).toHaveLength(1);
});
