import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DistinguishedName } from '../../../src/core/certificate.ts';
import { distinguishedNameKey, isSameName } from '../../../src/tls/names.ts';

/** Uses few letters, so that many names are equal except for case and spaces. */
const name: fc.Arbitrary<DistinguishedName> = fc.record({
  attributes: fc.array(
    fc.record({
      type: fc.constantFrom('CN', 'O'),
      value: fc.string({ unit: fc.constantFrom('a', 'A', ' ', 'b'), maxLength: 4 }),
    }),
    { maxLength: 2 },
  ),
});

test('isSameName() holds those to be equal whose keys are', () => {
  const seen = { same: 0, other: 0 };
  fc.assert(
    fc.property(name, name, (left, right) => {
      const isSame = distinguishedNameKey(left) === distinguishedNameKey(right);
      seen[isSame ? 'same' : 'other'] += 1;
      expect(isSameName(left, right)).toBe(isSame);
    }),
    { numRuns: 2_000 },
  );
  expect(seen.same).toBeGreaterThan(20);
  expect(seen.other).toBeGreaterThan(20);
});
