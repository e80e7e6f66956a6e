import { expect } from 'vitest';

/** Patterns that a claim must not match, by the rule that it would break. */
const RULES: Readonly<Record<string, RegExp>> = {
  'begins with a capital, a number, or a name in its own case': /^(?!\p{Lu}|\d|\S*[\d.:-]\S* )/u,
  'ends with one full stop': /(?:[^.]|\.\.)$/u,
  'is one sentence': /[.!?]\s+\p{Lu}/u,
  'calls certificates by their common names': /\b(?:CN|C|O|OU|ST|L|DC)=/u,
  'is no longer than 200 characters': /^.{201}/su,
  'is readable': /\p{Cc}|undefined|\[object|(?<!u)\{\w+\}/u,
};

/** Returns the problems of claims that people read, as `rule: claim`. Empty if all claims are plain. */
export function faultsOfClaims(
  findings: readonly { readonly rule: string; readonly claim: string }[],
): readonly string[] {
  return findings.flatMap(({ rule, claim }) =>
    Object.entries(RULES).flatMap(([what, wrong]) => (wrong.test(claim) ? [`${rule}, ${what}: ${claim}`] : [])),
  );
}

type Claimed = Parameters<typeof faultsOfClaims>[0];

/** Wraps a judge so that each of its claims must be plain, in addition to what the test checks. */
export function withPlainClaims<A extends readonly unknown[], R extends Claimed | { readonly findings: Claimed }>(
  judge: (...facts: A) => R,
): (...facts: A) => R {
  return (...facts) => {
    const judged = judge(...facts);
    expect(faultsOfClaims('findings' in judged ? judged.findings : judged)).toEqual([]);
    return judged;
  };
}
