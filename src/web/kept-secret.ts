import { messageOf } from '../text/message-of.ts';

/**
 * Reads a secret now, and again at each use. While it cannot be used, the one read before stays in force: a file that
 * is missing or half written for a moment locks nobody out.
 * @param read rejects with what is wrong with the secret, never with a part of it
 * @param onProblem called once for each problem
 * @throws {Error} of `read`, when the secret cannot be used now
 */
export async function keepSecret<T>(
  read: () => Promise<T>,
  onProblem: (problem: string) => void,
): Promise<() => Promise<T>> {
  let kept = await read();
  let known: string | null = null;
  return async () => {
    try {
      kept = await read();
      known = null;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== known) onProblem(problem);
      known = problem;
    }
    return kept;
  };
}
