import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadLinearCompiler } from '../../../src/trust/products.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';

type PatternScope = Parameters<Awaited<ReturnType<typeof loadLinearCompiler>>>[1];

const compile = await loadLinearCompiler();

function matches(source: string, scope: PatternScope, text: string): boolean {
  const compiled = compile(source, scope);
  return compiled.kind === 'usable' && compiled.pattern.test(text);
}

describe('the linear compiler', () => {
  test('matches the whole value, or anywhere', () => {
    expect(matches('Acme|Ajax', 'value', 'Acme CA')).toBe(false);
    expect(matches('Acme|Ajax', 'value', 'Ajax')).toBe(true);
    expect(matches('Acme', 'anywhere', 'by Acme Ltd')).toBe(true);
  });

  test.each([
    ['', '1 to 200 characters'],
    ['a'.repeat(201), '1 to 200 characters'],
    ['a(', 'Cannot use the pattern "a("'],
    ['a**', 'Cannot use the pattern "a**"'],
  ])('refuses %s', (source, message) => {
    expect(() => compile(source, 'value')).toThrow(message);
  });

  test.each(['(?=a)b', '(?!a)b', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<one>a)\\k<one>', 'a{1001}', '(?:a{1,200}){3}'])(
    'skips %s, which Node would accept',
    (source) => {
      expect(compile(source, 'value')).toEqual({ kind: 'unsupported', reason: expect.any(String) });
      expect(() => new RegExp(source, 'u')).not.toThrow();
    },
  );

  test.each(['\\(\\d+\\)', '[*+(){}]+x', '(?:a|b)?c', 'a{2}', '(a+)+', '.*a.*b.*c', 'Fortinet\\/', '\\p{L}+'])(
    'accepts %s',
    (source) => {
      expect(compile(source, 'value').kind).toBe('usable');
    },
  );

  test.each(['\\d*\\d*\\d*x', '(\\d+)+x', '(?:\\d{0,99}){4}x', '(?:\\d|\\d\\d)*x', '\\d{0,200}\\d{0,200}x'])(
    'takes no time for %s, on any text',
    (source) => {
      const texts = ['1', '12', ' 1', 'x1', 'é1'].map((part) => part.repeat(512).slice(0, 512));
      const spent = cpuMsOf(() => {
        for (const text of texts) for (const scope of ['value', 'anywhere'] as const) matches(source, scope, text);
      });
      expect(spent).toBeLessThan(1_000);
    },
  );

  test.each([
    ['\\u00e9\\u{20ac}', 'é€'],
    ['\\\\u00e9', '\\u00e9'],
    ['(?<name>a)', 'a'],
  ])('reads %s as Node does', (source, text) => {
    expect(matches(source, 'value', text)).toBe(true);
    expect(new RegExp(`^(?:${source})$`, 'u').test(text)).toBe(true);
  });

  test('matches what Node matches', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '1',
      '.',
      ' ',
      '\\.',
      '\\d',
      '\\w',
      '\\s',
      '[a-c]',
      '[^a]',
      '(?:a|b1)',
      'é',
      '\\u00e9',
    );
    const piece = fc
      .tuple(atom, fc.constantFrom('', '', '?', '*', '+', '{2}', '{1,3}', '{1,}'))
      .map((parts) => parts.join(''));
    const source = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', ' ', 'é', '€'), maxLength: 12 });
    fc.assert(
      fc.property(source, text, fc.constantFrom('value', 'anywhere'), (one, other, scope) => {
        expect(matches(one, scope, other)).toBe(new RegExp(scope === 'value' ? `^(?:${one})$` : one, 'u').test(other));
      }),
    );
  });
});
