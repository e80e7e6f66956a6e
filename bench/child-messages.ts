import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Sends a message and returns the answer. @throws {Error} if the process exits instead */
export async function ask<Answer>(child: ChildProcess, message: object): Promise<Answer> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(([code]: readonly (number | null)[]) => {
    throw new Error(`A process of the bench ended with ${String(code)} instead of an answer`);
  });
  ended.catch(() => undefined);
  try {
    const answered = once(child, 'message', { signal });
    child.send(message);
    const [answer] = (await Promise.race([answered, ended])) as readonly Answer[];
    if (answer === undefined) throw new Error('A process of the bench answered nothing');
    return answer;
  } finally {
    settled.abort();
  }
}
