import { expect, test } from 'vitest';
import { CAUSE_IDS, wordsOf } from '../../../../src/checks/registry.ts';
import { impactOf } from '../../../../src/engine/model.ts';
import { clauseOf } from '../../../../src/engine/words.ts';

const UNKNOWN = { licenseActive: null, offlineSupported: null };

const kinds = new Set(
  CAUSE_IDS.map(wordsOf).flatMap(({ impact, variants = [] }) => [
    impact,
    ...variants.flatMap((variant) => variant.impact ?? []),
  ]),
);

test.each([...kinds, 'uncertain', 'service'] as const)('an impact on %s has a short form for headings', (kind) => {
  const impact = impactOf(kind, UNKNOWN);
  const short = clauseOf(impact);
  expect(impact.toLowerCase().startsWith(`${short.toLowerCase()}.`)).toBe(true);
  expect(short.length).toBeLessThan(70);
});

const activation = (known: Partial<Parameters<typeof impactOf>[1]>): string =>
  impactOf('activation', { ...UNKNOWN, ...known });

test('that tokens cannot be activated is told by what the unit allows', () => {
  expect(activation({})).toContain('6.6.1');
  expect(activation({ licenseActive: false })).toBe(activation({}));
  expect(activation({ licenseActive: true }).length).toBeLessThan(activation({}).length);
  expect(activation({ offlineSupported: true })).not.toContain('6.6.1');
  expect(activation({ offlineSupported: true }).startsWith(activation({ offlineSupported: false }))).toBe(true);
});
