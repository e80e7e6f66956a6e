import fc from 'fast-check';
import { anyText } from './any-text.ts';

/** Strings with effects on terminals, mail and markup, and strings that often break parsers. */
const TOKENS: readonly string[] = [
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  '\r\nBcc: victim@example.org\r\n\r\n',
  '\r\n',
  '\n',
  '\0',
  '\u202e\u200b\u2028\ufeff',
  '\ud800',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '{"__proto__":{"polluted":true}}',
  '__proto__',
  'constructor',
  '%00%0d%0a',
  '${jndi:ldap://x}',
  '-1',
  '1e308',
  '999999999999999999999',
  'NaN',
  '"',
  '\\',
  '[',
  '{',
  '<!--',
  'ä✓𝕏',
];

type Change = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

function change(tokens: readonly string[]): fc.Arbitrary<Change> {
  const token = fc.constantFrom(...TOKENS, ...tokens).map((text) => Buffer.from(text, 'utf8'));
  const piece = fc.oneof(
    token,
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  );
  const at = (bytes: Buffer, where: number): number => Math.floor(where * (bytes.length + 1));
  return fc.oneof(
    fc.tuple(place, fc.nat({ max: 255 })).map(
      ([where, value]): Change =>
        (bytes) => {
          const copy = Buffer.from(bytes);
          const index = Math.floor(where * bytes.length);
          if (index < copy.length) copy[index] = value;
          return copy;
        },
    ),
    fc.tuple(place, piece).map(
      ([where, more]): Change =>
        (bytes) =>
          Buffer.concat([bytes.subarray(0, at(bytes, where)), more, bytes.subarray(at(bytes, where))]),
    ),
    fc.tuple(place, fc.nat({ max: 40 })).map(
      ([where, length]): Change =>
        (bytes) =>
          Buffer.concat([bytes.subarray(0, at(bytes, where)), bytes.subarray(at(bytes, where) + length)]),
    ),
    fc.tuple(place, fc.nat({ max: 40 }), fc.integer({ min: 2, max: 200 })).map(
      ([where, length, times]): Change =>
        (bytes) => {
          const start = at(bytes, where);
          const repeated: readonly Buffer[] = Array.from({ length: times }, () =>
            bytes.subarray(start, start + length),
          );
          return Buffer.concat([bytes.subarray(0, start), ...repeated, bytes.subarray(start)]);
        },
    ),
    place.map(
      (where): Change =>
        (bytes) =>
          bytes.subarray(0, at(bytes, where)),
    ),
  );
}

/** Generates mutations of a seed: bytes changed, cut or repeated, and hostile strings inserted. */
export function mutated(seeds: readonly Buffer[], tokens: readonly string[] = []): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(change(tokens), { minLength: 1, maxLength: 6 }))
    .map(([seed, changes]) => changes.reduce((bytes, apply) => apply(bytes), seed));
}

/** Generates JSON of about the same shape, with some values replaced by unexpected ones. */
export function mutatedJson(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const strange = fc.oneof(
    fc.constantFrom<unknown>(null, true, -1, 0, 1e308, 2 ** 53, '', [], {}, [[]], 'x'.repeat(5_000), deep(500)),
    fc.constantFrom(...TOKENS),
    anyText(20),
  );
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat({ max: 60 }), strange), { minLength: 1, maxLength: 4 }))
    .map(([seed, changes]) =>
      Buffer.from(serialised(changes.reduce((value, [at, put]) => replaced(value, at, put), parsed(seed)))),
    );
}

function deep(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function parsed(seed: Buffer): unknown {
  try {
    return JSON.parse(seed.toString('utf8')) as unknown;
  } catch {
    return seed.toString('utf8');
  }
}

/**
 * The depth limit of JSON.stringify does not matter here, because the value was generated above and is never too
 * deep.
 */
function serialised(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

/** Returns the JSON with each of its values in turn nested so deep that recursion over it overflows the stack. */
export function deeplyNested(seed: Buffer): readonly Buffer[] {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const places = Array.from({ length: 20 }, (_, at) => serialised(replaced(parsed(seed), at, '@deep@')));
  return [...new Set(places)].map((text) => Buffer.from(text.replace('"@deep@"', nested)));
}

/** Returns the tree with its `at`th value replaced, or replaced as a whole if it has fewer values. */
function replaced(root: unknown, at: number, put: unknown): unknown {
  let left = at;
  const walk = (value: unknown): unknown => {
    left -= 1;
    if (left < 0 && left > -2) return put;
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(root);
}

/**
 * Control characters, and characters that reverse or hide the text next to them. With `lines`, line breaks are
 * allowed.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const ACTING_BUT_LINE_BREAKS = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Returns the strings in a value that would affect a terminal or break a line. The result should be empty. */
export function actingTexts(value: unknown, lines = false): readonly string[] {
  if (typeof value === 'string')
    return (lines ? ACTING_BUT_LINE_BREAKS : ACTING).test(value) ? [JSON.stringify(value.slice(0, 200))] : [];
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return [];
  if (value instanceof Map) return [...value].flatMap((pair) => actingTexts(pair, lines));
  return Object.entries(value).flatMap(([key, inner]) => [...actingTexts(key, lines), ...actingTexts(inner, lines)]);
}

/** Returns the approximate number of characters and bytes of a value. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Map) return [...value].reduce((sum, pair) => sum + sizeOf(pair), 0);
  return Object.entries(value).reduce((sum, [key, inner]) => sum + key.length + sizeOf(inner), 0);
}
