import { execFileSync } from 'node:child_process';

/** What git prints in the project's folder, without the line break at the end. @throws when git fails */
export type Git = (...args: readonly string[]) => string;

export function gitIn(root: string): Git {
  return (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).replace(/\n$/u, '');
}
