import { describe, expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { createWorld, DAY_MS } from '../../../support/certificates/interception-world.ts';
import { prints, standingIn } from './standing-in.ts';

const w = await createWorld();
const { genuine, corporate, server, now } = w;

test('the authorities are those above the leaf, also above where it ends', () => {
  const { authorities } = standingIn(w, { sent: [server, genuine.sub, genuine.root, corporate.root] });
  expect(prints(authorities)).toEqual(prints([genuine.sub, genuine.root]));
});

describe('of two certificates of one key', () => {
  const copy = (from: number, to: number): Promise<Identity> =>
    createIdentity({
      name: genuine.otherSub.name,
      keys: genuine.otherSub.keys,
      issuer: genuine.root,
      authority: true,
      notBefore: new Date(from),
      notAfter: new Date(to),
    });

  test.each([
    ['expired', now - 9 * DAY_MS, now - DAY_MS],
    ['not yet valid', now + DAY_MS, now + 9 * DAY_MS],
  ])('the path takes the one that is not %s', async (_, from, to) => {
    const [other, current] = [await copy(from, to), await copy(now - DAY_MS, now + DAY_MS)];
    const leaf = await w.leaf(genuine.otherSub);
    const { path } = standingIn(w, { sent: [leaf, other, current, genuine.root] });
    expect(prints(path)).toEqual(prints([leaf, current, genuine.root]));
  });

  test('the first and the last moment count as valid', async () => {
    const [first, second] = [await copy(now - 9 * DAY_MS, now), await copy(now, now + 9 * DAY_MS)];
    const leaf = await w.leaf(genuine.otherSub);
    const at = certificateOf(second).notBefore;
    expect(certificateOf(first).notAfter).toBe(at);
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const { path } = standingIn(w, { sent: [leaf, one, other, genuine.root], now: at });
      expect(prints(path)).toEqual(prints([leaf, one, genuine.root]));
    }
  });
});
