import { describe, expect, test } from 'vitest';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, ed25519Keys } from '../../../support/certificates/chains.ts';

const root = await createIdentity({ name: 'CN=Root', authority: true });
const [issuer, leaf, stranger, otherKind] = [
  root,
  await createIdentity({ name: 'CN=Leaf', issuer: root }),
  await createIdentity({ name: 'CN=Root', authority: true }),
  await createIdentity({ name: 'CN=Root', authority: true, keys: await ed25519Keys() }),
].map(certificateOf);
if (issuer === undefined || leaf === undefined || stranger === undefined || otherKind === undefined)
  throw new Error('Expected four certificates');

describe('signs()', () => {
  test.each([
    { name: 'the issuer', by: issuer, of: leaf, signs: true },
    { name: 'a root itself', by: issuer, of: issuer, signs: true },
    { name: 'another of the same name', by: stranger, of: leaf, signs: false },
    { name: 'one below', by: leaf, of: issuer, signs: false },
    { name: 'a key of another kind', by: otherKind, of: leaf, signs: false },
    { name: 'a key of no kind to build on', by: { ...issuer, key: 'RSA-65536' }, of: leaf, signs: false },
    { name: 'a certificate that cannot be read', by: { ...issuer, der: new Uint8Array() }, of: leaf, signs: false },
  ])('$name: $signs', ({ by, of, signs }) => {
    expect(createSignatureChecks().forOneChain().signs(by, of)).toBe(signs);
  });

  test('keeps the answers about different certificates apart', () => {
    const checks = createSignatureChecks().forOneChain();
    const pairs = [
      [issuer, leaf],
      [leaf, issuer],
      [stranger, leaf],
      [issuer, leaf],
    ] as const;
    expect(pairs.map(([by, of]) => checks.signs(by, of))).toEqual([true, false, false, true]);
  });

  test('verifies no signature of one chain after 250 ms, but returns what is cached', () => {
    let now = 0;
    const all = createSignatureChecks(16, () => now);
    const checks = all.forOneChain();
    expect([checks.signs(issuer, leaf), checks.areCut()]).toEqual([true, false]);
    now = 251;
    // A real chain needs fewer than ten, however busy the machine is.
    for (let other = 0; other < 9; other += 1)
      expect(checks.signs(issuer, { ...leaf, fingerprint: String(other) })).toBe(true);
    expect([checks.signs(issuer, leaf), checks.areCut()]).toEqual([true, false]);
    expect([checks.signs(issuer, issuer), checks.areCut()]).toEqual([false, true]);
    const next = all.forOneChain();
    expect([next.signs(issuer, issuer), next.areCut()]).toEqual([true, false]);
  });
});

describe('once()', () => {
  /** Returns the keys that were not cached, in order. */
  function asked(capacity: number, ...keys: readonly string[]): readonly string[] {
    const checks = createSignatureChecks(capacity);
    const seen: string[] = [];
    for (const key of keys)
      checks.once(key, () => {
        seen.push(key);
        return key === 'yes';
      });
    return seen;
  }

  test('answers a question once, whatever the answer', () => {
    expect(asked(8, 'yes', 'no', 'yes', 'no')).toEqual(['yes', 'no']);
    const checks = createSignatureChecks();
    expect([null, true, false].map((answer) => checks.once('the same', () => answer))).toEqual([false, true, true]);
  });

  test('forgets the oldest answer when there is no room, and no other', () => {
    expect(asked(2, 'a', 'b', 'a', 'b')).toEqual(['a', 'b']);
    expect(asked(2, 'a', 'b', 'c', 'c', 'b', 'a')).toEqual(['a', 'b', 'c', 'a']);
  });
});
