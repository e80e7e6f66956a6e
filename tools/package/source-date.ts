import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns the build time in seconds since 1970, so that the same source gives the same bytes: SOURCE_DATE_EPOCH
 * (reproducible-builds.org), or the time of the commit, or, for a source without git, of the newest release in the
 * changelog.
 * @throws {Error} if there is none of them
 */
export function sourceDate(root: string, env: NodeJS.ProcessEnv): number {
  const given = env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d{1,12}$/u.test(given)) return Number(given);
  if (existsSync(join(root, '.git')))
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
  const [, released] = /^## \S+ \((\d{4}-\d\d-\d\d)\)$/mu.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')) ?? [];
  if (released === undefined)
    throw new Error('Cannot date the packages: set SOURCE_DATE_EPOCH, or build from a commit');
  return Date.parse(released) / 1000;
}
