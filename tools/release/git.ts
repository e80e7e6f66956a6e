import { execFileSync } from 'node:child_process';

/** Returns git's output in the project's folder, without the final line break. @throws if git fails */
export type Git = (...args: readonly string[]) => string;

export function gitIn(root: string): Git {
  return (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).replace(/\n$/u, '');
}
