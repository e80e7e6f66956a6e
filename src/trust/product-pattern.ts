import type { TextPattern } from '../core/block-page.ts';
import { messageOf } from '../text/message-of.ts';

const MAX_LENGTH = 200;

/**
 * Instructions of a compiled pattern, with which time grows. A pattern of 200 characters without counts has fewer. With
 * this many, the slowest patterns that were tried take 10 ms for a name of 256 characters.
 */
const MAX_INSTRUCTIONS = 500;

/** `value`: the whole value must match; `anywhere`: any part of it, in any case of letters. */
export type PatternScope = 'value' | 'anywhere';

export type CompiledPattern =
  | { readonly kind: 'usable'; readonly pattern: TextPattern }
  /** A correct regular expression that cannot be used here, and why not. */
  | { readonly kind: 'unsupported'; readonly reason: string };

/** @throws {RangeError} for what is no regular expression, saying what is wrong with it */
export type PatternCompiler = (source: string, scope: PatternScope) => CompiledPattern;

/** For the catalogue of the program itself: Node's own engine, since tests look at how long each pattern may take. */
export const compileShipped: PatternCompiler = (source, scope) => {
  const compiled = scope === 'value' ? new RegExp(`^(?:${source})$`, 'u') : new RegExp(source, 'iu');
  return {
    kind: 'usable',
    pattern: {
      test: (text) => compiled.test(text),
      find: (text) => compiled.exec(text)?.[0] ?? null,
      isLinear: !/[*+{]/u.test(source),
    },
  };
};

/**
 * For files of the administrator: RE2, which takes linear time on any text. It is loaded only by those who have such
 * files, because it takes 4 MiB of memory.
 */
export async function loadLinearCompiler(): Promise<PatternCompiler> {
  const { RE2JS } = await import('re2js');
  return (source, scope) => {
    if (source.length === 0 || source.length > MAX_LENGTH)
      throw unusable(source.slice(0, MAX_LENGTH), `expected 1 to ${String(MAX_LENGTH)} characters`);
    try {
      const compiled = RE2JS.compile(inRe2Syntax(source), scope === 'value' ? 0 : RE2JS.CASE_INSENSITIVE);
      if (compiled.programSize() > MAX_INSTRUCTIONS)
        return { kind: 'unsupported', reason: 'its repeats count too far, as in "a{1,500}"' };
      const test = (text: string): boolean => (scope === 'value' ? compiled.testExact(text) : compiled.test(text));
      const find = (text: string): string | null => {
        const matcher = compiled.matcher(text);
        return matcher.find() ? matcher.group() : null;
      };
      return { kind: 'usable', pattern: { test, find, isLinear: true } };
    } catch (error) {
      const reason = messageOf(error).replace(/^error parsing regexp: /u, '');
      if (isRegExp(source))
        return { kind: 'unsupported', reason: `RE2 supports no look-around and no back-references: ${reason}` };
      throw unusable(source, reason, error);
    }
  };
}

/** RE2 writes a character by its number as `\x{e9}`, not `\u00e9` or `\u{e9}`. */
function inRe2Syntax(source: string): string {
  return source.replaceAll(
    /\\(?:u\{([\dA-F]+)\}|u([\dA-F]{4})|.)/gisu,
    (escape, long: string | undefined, short: string | undefined) => {
      const number = long ?? short;
      return number === undefined ? escape : `\\x{${number}}`;
    },
  );
}

/** Look-around and back-references are correct, and cannot be matched in linear time. */
function isRegExp(source: string): boolean {
  try {
    return new RegExp(source, 'u').unicode;
  } catch {
    return false;
  }
}

function unusable(source: string, problem: string, cause?: unknown): RangeError {
  return new RangeError(`Cannot use the pattern "${source}": ${problem}`, { cause });
}
