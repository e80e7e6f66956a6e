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
} from '../../../../src/checks/intermittent/connection-share.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const C = '192.0.2.3';
const V6 = '2001:db8::1';
const EVERY = 30_000;
const LATER = 3_600_000;
const FAULT: ConnectionFault = {
  stage: 'reachability',
  cause: 'egress-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'No answer.',
};

/** Connections of one round by address: `x` failed, `.` worked, empty if no answer was awaited. */
type Dialled = Readonly<Record<string, string>>;

function connections(dialled: Dialled): readonly Connection[] {
  return Object.entries(dialled).flatMap(([address, letters]) =>
    Array.from(letters, (letter) => ({ address, fault: letter === 'x' ? FAULT : null })),
  );
}

/** Returns the connections with the addresses in turns. */
function inTurns(dialled: Dialled): readonly Connection[] {
  const most = Math.max(...Object.values(dialled).map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) =>
    connections(
      Object.fromEntries(Object.entries(dialled).map(([address, letters]) => [address, letters.charAt(turn)])),
    ),
  ).flat();
}

function look(before: PathShare, dialled: Dialled, at: number, burst: Dialled | null = null): PathShare {
  return next(before, {
    at,
    dialled: Object.keys(dialled),
    connections: connections(dialled),
    burst: burst === null ? null : inTurns(burst),
  });
}

function rounds(...all: readonly Dialled[]): PathShare {
  return all.reduce<PathShare>((state, dialled, index) => look(state, dialled, index * EVERY), NO_SHARE);
}

function times(count: number, ...turn: readonly Dialled[]): readonly Dialled[] {
  return Array.from({ length: count }, () => turn).flat();
}

/** Returns the addresses to which a burst is due. */
const burstDue = (state: PathShare, at: number): readonly string[] => [...new Set(burstOf(state, at, null))];

const patterns = (state: PathShare): readonly string[] =>
  sharesOf(state).map(({ addresses, pattern }) => `${addresses.join('+')} ${pattern}`);

const outages = (state: PathShare): readonly string[] => state.families.flatMap((family) => family.outages);

test('nothing is known before the first round', () => {
  expect(NO_SHARE).toMatchObject({ addresses: [], families: [], unclean: [], bursts: [], forgeries: [] });
  expect(NO_SHARE.whole).toMatchObject({ addresses: [], pattern: 'none', trail: [] });
});

describe('next()', () => {
  test('knows nothing of a name that gives no address', () => {
    const { whole, ...parts } = look(NO_SHARE, {}, 0);
    expect({ ...parts, pattern: whole.pattern }).toEqual({
      addresses: [],
      families: [],
      unclean: [],
      bursts: [],
      forgeries: [],
      pattern: 'none',
    });
    expect(sharesOf(NO_SHARE)).toEqual([]);
  });

  test('keeps nothing of connections that work', () => {
    const { addresses, whole, unclean } = rounds({ [A]: '.', [B]: '.' }, { [A]: '.', [B]: '.' });
    expect({ addresses, trail: whole.trail, unclean }).toEqual({ addresses: [], trail: [], unclean: [] });
  });

  test('counts each family by itself', () => {
    const { families } = rounds({ [A]: 'x', [V6]: '.' });
    expect(families.map(({ family, current, share }) => [family, current, failedIn(share.trail)])).toEqual([
      [4, [A], 1],
      [6, [V6], 0],
    ]);
    expect(rounds({ [A]: '.' }).families.map(({ family }) => family)).toEqual([4]);
  });

  test('says the same in whichever order the connections of a round began', () => {
    const [one, other] = [rounds({ [A]: 'x', [B]: '.' }), rounds({ [B]: '.', [A]: 'x' })];
    expect(one.whole.trail).toEqual(connections({ [A]: 'x' }));
    expect(other.whole.trail).toEqual(one.whole.trail);
  });

  test('knows 64 addresses of a family at most', () => {
    const many = Array.from({ length: 70 }, (_, index) => ({ [`192.0.2.${String(index)}`]: '.' }));
    const [{ members } = { members: [] }] = many.reduce((state, dialled) => look(state, dialled, 0), NO_SHARE).families;
    expect(members.map(({ address }) => address)).toEqual(many.slice(6).flatMap((dialled) => Object.keys(dialled)));
  });
});

describe('addresses that take turns in the answers', () => {
  test('are judged together: no single one shows the fault', () => {
    expect(patterns(rounds(...times(7, { [A]: 'x' }, { [B]: '.' })))).toEqual([`${A}+${B} intermittent`]);
  });

  test('get a burst to those that are given now', () => {
    const state = rounds({ [A]: '.' }, { [B]: 'x' });
    expect(burstDue(state, LATER)).toEqual([B]);
    expect(needsCloserLook(state, LATER)).toBe(true);
  });

  test.each<readonly [string, readonly Dialled[], boolean]>([
    ['one came back while another one is away', [{ [A]: '.' }, { [B]: '.' }, { [A]: '.' }], true],
    ['one came back with a new one', [{ [A]: '.' }, { [B]: '.' }, { [A]: '.', [C]: '.' }], true],
    ['one stays on while the others take turns', [...times(2, { [A]: '.' }, { [B]: '.' }), { [B]: '.' }], true],
    ['one took the place of another', [{ [A]: '.' }, { [B]: '.' }], false],
    ['one is gone, and the other one stays', [{ [A]: '.', [B]: '.' }, { [A]: '.' }, { [A]: '.' }], false],
    ['one came back, and none is away', [{ [A]: '.', [B]: '.' }, { [A]: '.' }, { [A]: '.', [B]: '.' }], false],
  ])('are known by their return: %s', (_, dialled, rotates) => {
    expect(rounds(...dialled).families.map(({ share }) => share.rotates)).toEqual([rotates]);
  });

  test('have no outage of their own, however often one of them failed', () => {
    const turns = times(6, { [A]: 'x', [B]: '.' }, { [A]: 'x', [C]: '.' });
    expect(outages(rounds({ [A]: '.', [B]: '.' }, { [A]: '.', [C]: '.' }, ...turns))).toEqual([]);
  });
});

describe('an outage of one address beside one that always works', () => {
  const four = times(4, { [A]: 'x', [B]: '.' });
  const five = times(5, { [A]: 'x', [B]: '.' });

  test('is one after five failures, and no failure of the way to all', () => {
    const one = { [A]: 'x', [B]: '.' };
    expect(outages(rounds(...four))).toEqual([]);
    expect(outages(rounds(...five))).toEqual([]);
    const state = rounds(...five, one);
    expect(outages(state)).toEqual([A]);
    expect(outages(rounds(...four, one))).toEqual([]);
    expect(failedIn(state.whole.trail)).toBe(1);
    expect(patterns(state)).toEqual([`${A} steady`]);
  });

  test('is none where it worked in between', () => {
    expect(outages(rounds(...times(4, { [A]: 'x', [B]: '.' }, { [A]: '.', [B]: '.' })))).toEqual([]);
  });

  test('is taken along by an address that is not given any more', () => {
    const gone = rounds(...five, { [A]: 'x', [B]: '.' }, ...times(3, { [B]: '.' }));
    expect(outages(gone)).toEqual([A]);
    expect(gone.families.map(({ share }) => share.addresses)).toEqual([[B]]);
    const there = rounds(...five, { [A]: 'x', [B]: '.' });
    expect(there.families.map(({ share }) => share.addresses)).toEqual([[A, B]]);
  });

  test('is none any more once the address is back: it takes turns', () => {
    const back = rounds(...five, { [A]: 'x', [B]: '.' }, { [B]: '.' }, ...times(2, { [A]: 'x', [B]: '.' }));
    expect(outages(back)).toEqual([]);
    const returned = (state: PathShare): readonly string[] =>
      state.families.flatMap(({ members }) => members.filter((one) => one.returned).map(({ address }) => address));
    expect(returned(back)).toEqual([A]);
    // A working address can return to the answers as well, but that proves nothing.
    expect(returned(rounds({ [A]: '.', [B]: '.' }, { [B]: '.' }, { [A]: '.', [B]: '.' }))).toEqual([]);
  });
});

describe('where all connections together come and go', () => {
  const HALF = { [A]: 'x.x.x.x.x.', [B]: '.x.x.x.x.x' };

  test('each address does that has enough of the failures', () => {
    const state = look(rounds({ [A]: 'x', [B]: '.' }), { [A]: 'x', [B]: '.' }, EVERY, HALF);
    expect(patterns(state)).toEqual([`${A} intermittent`, `${B} intermittent`]);
  });

  test('one with an eighth of failures is clean, and one with more is not', () => {
    const eighth = { [A]: 'x.xxxxxx', [B]: '.......x' };
    const more = { [A]: 'x.xxxxx', [B]: '......x' };
    const of = (burst: Dialled): readonly string[] => patterns(look(NO_SHARE, { [A]: 'x', [B]: '' }, 0, burst));
    expect(of(eighth)).toEqual([`${A} intermittent`, `${B} none`]);
    expect(of(more)).toEqual([`${A} intermittent`, `${B} intermittent`]);
  });

  test('one that always fails does so, and does not come and go', () => {
    const state = look(NO_SHARE, { [A]: 'x', [B]: 'x' }, 0, { [A]: 'xxxxxxxxxx', [B]: '.x.x.x.x.x' });
    expect(patterns(state)).toEqual([`${A} steady`, `${B} intermittent`]);
    expect(state.unclean).toEqual([B]);
  });

  test('those that do are not clean until that is past at each of them', () => {
    const both = look(NO_SHARE, { [A]: 'x', [B]: 'x' }, 0, HALF);
    expect(both.unclean).toEqual([A, B]);
    const one = look(NO_SHARE, { [A]: 'x', [B]: '.' }, 0, { [A]: '.x.x.x.x.x', [B]: '..........' });
    expect(one.unclean).toEqual([A]);
    const partly = look(both, { [A]: 'x', [B]: '.' }, EVERY, { [A]: '.x.x.x.x.x'.repeat(7), [B]: '.'.repeat(70) });
    expect(partly.unclean).toEqual([A, B]);
    expect(look(both, { [A]: '.', [B]: '.' }, EVERY, { [A]: '.'.repeat(150), [B]: '.'.repeat(150) }).unclean).toEqual(
      [],
    );
  });

  test('one that was forgotten is not kept for unclean', () => {
    const both = look(NO_SHARE, { [A]: 'x', [B]: 'x' }, 0, HALF);
    expect(look(both, { [A]: 'x' }, 31 * 60_000).unclean).toEqual([A]);
  });
});

describe('bursts', () => {
  test('are twenty connections, each address as often as the others, in turns', () => {
    expect(burstOf(rounds({ [A]: 'x' }), LATER, null)).toEqual(Array.from({ length: 20 }, () => A));
    expect(burstOf(rounds({ [A]: 'x', [B]: '.', [C]: '.' }), LATER, null)).toEqual(
      Array.from({ length: 6 }, () => [A, B, C]).flat(),
    );
    expect(burstOf(rounds({ [A]: '.' }), LATER, null)).toEqual([]);
  });

  test('are due again where one has not decided, until they are spent', () => {
    const one = look(NO_SHARE, { [A]: 'x' }, EVERY, { [A]: 'x.x.x' });
    expect(burstDue(one, EVERY)).toEqual([A]);
    expect(burstDue({ ...one, bursts: [...one.bursts, ...one.bursts, ...one.bursts] }, EVERY)).toEqual([]);
  });

  test('come with the next round on time where a fault is known to come and go', () => {
    const state = look(NO_SHARE, { [A]: 'x' }, 0, { [A]: '.x.x.x.x.x' });
    expect(burstDue(state, LATER)).toEqual([A]);
    expect(needsCloserLook(state, LATER)).toBe(false);
  });
});
