import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileWildcard } from '../../../src/trust/products.ts';

describe('a pattern of an administrator', () => {
  test.each([
    ['Acme', 'Acme CA', false],
    ['Acme*', 'Acme CA', true],
    ['*CA', 'Acme CA', true],
    ['acme*', 'Acme CA', false],
    ['Acme (*) CA.', 'Acme (2) CA.', true],
    ['Acme (*) CA.', 'Acme (2) CAx', false],
    ['ab*bc', 'abc', false],
    ['*token*fortinet*', 'fortitokenmobile.fortinet.com', true],
    ['*.fortinet.com.evil.test', 'fortitokenmobile.fortinet.com', false],
    ['fortitokenmobile.fortinet.com*mobile.fortinet.com', 'fortitokenmobile.fortinet.com', false],
  ])('%s matches the whole value %s: %s', (source, text, matches) => {
    expect(compileWildcard(source, 'value').test(text)).toBe(matches);
  });

  test('matches anywhere, whatever the case, and quotes what was written', () => {
    const pattern = compileWildcard('blocked * acme', 'anywhere');
    expect(pattern.find('Page BLOCKED by Acme Ltd')).toBe('BLOCKED by Acme');
    expect(pattern.find('Acme blocked it')).toBeNull();
  });

  test.each(['', '*', '**', 'a'.repeat(201), 'a(?=b)', 'a{1,3}', '[Aa]cme', 'Acme.*', 'Acme\\.', '^Acme', 'a+', 'A|B'])(
    'refuses %s',
    (source) => {
      expect(() => compileWildcard(source, 'value')).toThrow('Cannot use the pattern');
    },
  );

  test('means what the same regular expression means', () => {
    const source = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 16 });
    fc.assert(
      fc.property(source, text, (one, other) => {
        fc.pre(!/^\**$/u.test(one));
        const lazy = one.replaceAll('*', '[^]*?');
        expect(compileWildcard(one, 'value').test(other)).toBe(new RegExp(`^${lazy}$`, 'u').test(other));
        const found = new RegExp(one.replaceAll(/^\*+|\*+$/gu, '').replaceAll('*', '[^]*?'), 'u').exec(other)?.[0];
        expect(compileWildcard(one, 'anywhere').find(other)).toBe(found ?? null);
      }),
    );
  });
});
