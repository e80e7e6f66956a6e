import { describe, expect, test } from 'vitest';
import { findProduct, type ProductPattern } from '../../../../src/tls/trust.ts';

const one: ProductPattern = {
  id: 'one',
  name: 'One',
  issuers: [
    [
      { type: 'O', pattern: /^One$/u },
      { type: 'CN', pattern: /^Proxy/u },
    ],
    [{ type: 'OU', pattern: /^One$/u }],
  ],
  pages: [],
  mentions: [],
};
const two: ProductPattern = { ...one, id: 'two', name: 'Two', issuers: [[{ type: 'O', pattern: /^Two$/u }]] };
const dn = (...pairs: readonly (readonly [string, string])[]) => ({
  attributes: pairs.map(([type, value]) => ({ type, value })),
});

describe('findProduct()', () => {
  test.each([
    ['all of one pattern', dn(['O', 'One'], ['CN', 'Proxy 7']), one],
    ['one of several patterns', dn(['OU', 'One']), one],
    ['a part of a pattern', dn(['O', 'One'], ['CN', 'Web']), null],
    ['one of several values', dn(['O', 'Acme'], ['O', 'Two']), two],
    ['an empty name', dn(), null],
  ])('%s', (_, name, product) => {
    expect(findProduct([one, two], name)).toBe(product);
  });

  test('answers by the catalogue that it is asked with', () => {
    const name = dn(['O', 'Two']);
    const catalogues = [[one], [one, two], [one]];
    expect(catalogues.map((products) => findProduct(products, name))).toEqual([null, two, null]);
  });
});
