import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { merged, ownerOf } from '../../../src/config/load.ts';

describe('merged()', () => {
  test.each([
    [
      { a: 1, b: { c: 2, d: 3 } },
      { b: { d: 4 }, e: 5 },
      { a: 1, b: { c: 2, d: 4 }, e: 5 },
    ],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: { b: 1 } }, { a: null }, { a: null }],
    [{ a: 'text' }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{ a: 1 }, {}, { a: 1 }],
  ])('of %j and %j is %j', (under, over, expected) => {
    expect(merged(under, over)).toEqual(expected);
  });

  test('takes "__proto__" for a key like any other', () => {
    const over: unknown = JSON.parse('{"__proto__": {"polluted": true}}');

    expect(Object.keys(Object(merged({ a: 1 }, over)))).toEqual(['a', '__proto__']);
    expect(Object.getPrototypeOf(merged({ a: 1 }, over))).toBe(Object.prototype);
  });
});

describe('ownerOf()', () => {
  const layers = [
    { a: 1, mail: [{ host: 'base', port: 25 }], notify: { email: { from: 'x' } }, web: 'text' },
    { mail: [{ host: 'site' }], notify: { email: { to: 5 } }, web: { listen: 1 } },
  ];

  test.each([
    ['a value of the base', ['a'], 0],
    ['a value of the site', ['notify', 'email', 'to'], 1],
    ['a value of the base in a section of both', ['notify', 'email', 'from'], 0],
    ['what is missing in a section of both', ['notify', 'email', 'servers'], 1],
    ['what is missing in a list of the site, and stands in that of the base', ['mail', 0, 'port'], 1],
    ['what hides a text', ['web', 'listen'], 1],
    ['what is missing everywhere', ['site'], 1],
  ])('of %s', (_, path, owner) => {
    expect(ownerOf(layers, path)).toBe(owner);
  });

  test('of what a text between two sections hides', () => {
    expect(ownerOf([{ a: { b: 1 } }, { a: 'text' }, { a: { c: 2 } }], ['a', 'b'])).toBe(2);
  });

  test('names the layer that has the value', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.array(tie('any'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('any')),
      ),
    })).any;
    const path = fc.array(fc.constantFrom('a', 'b', 'c', 0, 1), { maxLength: 4 });
    const at = (root: unknown, [part, ...rest]: readonly (string | number)[]): unknown =>
      part === undefined ? root : at(Object(root)[part], rest);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), path, (values, where) => {
        const effective = at(values.reduce<unknown>(merged, {}), where);
        fc.pre(effective !== undefined && (typeof effective !== 'object' || Array.isArray(effective)));
        expect(at(values[ownerOf(values, where)], where)).toEqual(effective);
      }),
    );
  });
});
