import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { configFile } from '../../../src/config/config.ts';
import { formatIssue, allKeyPaths } from '../../../src/config/issues.ts';
import { type LoadResult, MAX_CONFIG_BYTES } from '../../../src/config/load.ts';
import { loadText } from '../../support/config/config-machine.ts';
import { samples } from '../../support/random/samples.ts';

const REFERENCE = readFileSync(
  fileURLToPath(new URL('../../../config/ftm-watch.reference.yaml', import.meta.url)),
  'utf8',
);
const KEYS = [...new Set(allKeyPaths(configFile).map((path) => path.replace(/^.*[.\]]/u, '')))];

/** Characters with a special meaning in YAML. */
const PUNCTUATION = 'a b : - ? & * ! | > % @ { } [ ] , # " \' 1 ~ < = .'.split(' ').concat('\n', '\t', ' ');

/** Reports whether the result is sound: either a configuration, or one-line messages with a position each. */
function isSound(result: LoadResult): boolean {
  if (result.kind === 'ok') return result.config.site !== '';
  return (
    result.issues.length > 0 &&
    result.issues.every((issue) => /^ftm-watch\.yaml:[1-9]\d*:[1-9]\d*  [^\n\r]+$/u.test(formatIssue(issue)))
  );
}

/** The reference with one piece replaced by another. */
const MUTATED = fc
  .record({
    start: fc.nat({ max: REFERENCE.length }),
    length: fc.nat({ max: 40 }),
    insert: fc.oneof(
      fc.string({ maxLength: 10 }),
      fc.constantFrom('\n', '  ', '- ', ': ', '*a', '&a ', '{', ']', '"', '|', '? ', '!!int ', '...', '\t', '#'),
    ),
  })
  .map(({ start, length, insert }) => REFERENCE.slice(0, start) + insert + REFERENCE.slice(start + length));

const TEXTS = ['', ...'system 10.0.0.5 fac-1 15m https://a:b@c/'.split(' ')];
const SCALARS = [...TEXTS, null, true, 0, 443, -1, 0.5, NaN, Infinity];

/** Known keys with arbitrary values and nesting. */
const WITH_KNOWN_KEYS = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...SCALARS),
    fc.string(),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('section'),
  ),
  section: fc.dictionary(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: fc.string() }),
    tie('value'),
    { maxKeys: 6 },
  ),
}));

const NAMES = 'abcdefghijklmnop';
/** Each list has the one before it twice. */
const ALIASES = Array.from(NAMES, (name, index) =>
  index === 0 ? 'a: &a [1, 1]' : `${name}: &${name} [*${NAMES.charAt(index - 1)}, *a]`,
).join('\n');

describe('loadConfig', () => {
  test('gives a configuration or messages for any text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ minLength: 1 }),
          fc.string({ unit: fc.constantFrom(...PUNCTUATION), minLength: 1, maxLength: 60 }),
        ),
        async (text) => {
          expect(isSound(await loadText(text))).toBe(true);
        },
      ),
      { numRuns: samples(10) },
    );
  });

  test('gives a configuration or messages for any damage to the example', async () => {
    await fc.assert(
      fc.asyncProperty(MUTATED, async (text) => {
        expect(isSound(await loadText(text))).toBe(true);
      }),
      { numRuns: samples(3) },
    );
  });

  test('gives a configuration or messages for any values under known keys', async () => {
    await fc.assert(
      fc.asyncProperty(WITH_KNOWN_KEYS.section, async (value) => {
        expect(isSound(await loadText(stringify(value)))).toBe(true);
      }),
      { numRuns: samples(3) },
    );
  });

  test('tells every unknown key of the example at once, in the order of the lines', async () => {
    const result = await loadText(REFERENCE.replace(/^(?=[a-zA-Z]+:)/gmu, 'x-'));
    const messages = result.kind === 'invalid' ? result.issues.map(({ message }) => message) : [];
    expect(messages.map((message) => /^unknown key "x-(\w+)"/u.exec(message)?.[1])).toEqual(
      Object.keys(parse(REFERENCE)),
    );
  });

  // The library's own conversion takes minutes for the first two cases.
  test.each([
    ['as many keys as fit', Array.from({ length: 70_000 }, (_, index) => `key${String(index)}: 1`).join('\n')],
    ['sections as keys', '{'.repeat(700)],
    ['brackets without end', '['.repeat(100_000)],
    ['aliases of aliases', ALIASES],
    ['an alias in itself', 'resolvers: &a [*a, *a]'],
  ])('refuses %s within seconds', async (_name, text) => {
    expect(text.length).toBeLessThan(MAX_CONFIG_BYTES);
    expect(isSound(await loadText(text))).toBe(true);
  });
});
