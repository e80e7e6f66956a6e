import { setTimeout } from 'node:timers/promises';

/**
 * Repeats a request until the answer matches, and returns it. @throws after `limit` milliseconds, with the last
 * answer
 */
export async function until<T>(ask: () => Promise<T>, isMeant: (answer: T) => boolean, limit: number): Promise<T> {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await ask();
    if (isMeant(answer)) return answer;
    if (performance.now() > end)
      throw new Error(`Not within ${String(limit)} ms: the last answer was ${JSON.stringify(answer).slice(0, 500)}`);
    await setTimeout(25);
  }
}
