import type { z } from 'zod';

/** Node's advice about its own options, which ftm-watch does not accept, and the address of a socket that has none. */
const NODE_ADDITIONS =
  /; if the root CA is installed locally, try running Node\.js with --use-system-ca\b| - Local \((?:0\.0\.0\.0|::):0\)/gu;

export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutNodeAdditions(error.message) : String(error);
}

export function withoutNodeAdditions(message: string): string {
  return message.replaceAll(NODE_ADDITIONS, '');
}

/** For example `targets.a.leaves: expected exactly one certificate in PEM format`. */
export function issueTexts(error: z.ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`);
}

/**
 * Waits for all tasks even if one of them has failed.
 * @throws {Error} with the messages of all failed tasks, one per line
 */
export async function allOrProblems<T extends readonly unknown[] | []>(
  tasks: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const settled: readonly PromiseSettledResult<unknown>[] = await Promise.allSettled(tasks);
  const reasons = settled.flatMap((outcome): readonly unknown[] =>
    outcome.status === 'rejected' ? [outcome.reason] : [],
  );
  if (reasons.length === 0) return Promise.all(tasks);
  throw new Error([...new Set(reasons.flatMap(problemsOf))].join('\n'), { cause: reasons[0] });
}

/** Returns the individual messages in an error from `allOrProblems`. */
export function problemsOf(error: unknown): readonly string[] {
  return messageOf(error).split('\n');
}
