import { messageOf } from '../text/message-of.ts';

const MAX_LENGTH = 200;

/**
 * What may be repeated without a bound, as often as wanted: two of them on 256 characters are some ten thousand steps
 * at most.
 */
const MAX_UNBOUNDED = 2;
const MAX_COUNTED = 4;

/**
 * Compiles a pattern of the catalogue that is safe on hostile text: short, at most two unbounded repeats, no repeated
 * group (`(a+)+` takes exponential time) and no back-reference.
 *
 * @param scope `value`: the whole value must match; `anywhere`: any part of it, in any case of letters
 * @throws {RangeError} saying what is wrong with it
 */
export function compilePattern(source: string, scope: 'value' | 'anywhere'): RegExp {
  const problem = problemOf(source);
  if (problem !== null) throw new RangeError(`Cannot use the pattern "${source.slice(0, MAX_LENGTH)}": ${problem}`);
  try {
    return scope === 'value' ? new RegExp(`^(?:${source})$`, 'u') : new RegExp(source, 'iu');
  } catch (error) {
    throw new RangeError(`Cannot use the pattern "${source}": ${messageOf(error)}`, { cause: error });
  }
}

interface Check {
  readonly fails: (pattern: { readonly source: string; readonly skeleton: string }) => boolean;
  readonly expected: string;
}

const CHECKS: readonly Check[] = [
  {
    fails: ({ source }) => source.length === 0 || source.length > MAX_LENGTH,
    expected: `1 to ${String(MAX_LENGTH)} characters`,
  },
  { fails: ({ source }) => /\\[1-9k]/u.test(source), expected: 'no back-reference' },
  { fails: ({ skeleton }) => /\)(?:[*+]|\{)/u.test(skeleton), expected: 'no repeat of a group, such as "(a+)+"' },
  {
    fails: ({ skeleton }) => count(skeleton, /[*+]|\{\d+,\}/gu) > MAX_UNBOUNDED,
    expected: `at most ${String(MAX_UNBOUNDED)} unbounded repeats`,
  },
  {
    fails: ({ skeleton }) => count(skeleton, /\{\d+(?:,\d+)?\}/gu) > MAX_COUNTED,
    expected: `at most ${String(MAX_COUNTED)} counted repeats`,
  },
];

function problemOf(source: string): string | null {
  // Escapes and character classes out of the way: what is left of brackets and repeats is meant as such.
  const skeleton = source.replaceAll(/\\./gu, 'x').replaceAll(/\[[^\]]*\]/gu, 'x');
  const failed = CHECKS.find((check) => check.fails({ source, skeleton }));
  return failed === undefined ? null : `expected ${failed.expected}`;
}

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0;
}
