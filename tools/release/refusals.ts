import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unreleasedEntries } from './changelog.ts';
import type { Git } from './git.ts';

/** The branch that is released. */
const BRANCH = 'main';

/** Returns the reasons why this version cannot be released from this folder. */
export function refusals(root: string, git: Git, tag: string): readonly string[] {
  const changed = git('status', '--porcelain').split('\n').filter(Boolean);
  const branch = git('branch', '--show-current');
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  return [
    ...(changed.length === 0 ? [] : [`what is not committed:\n    ${changed.join('\n    ')}`]),
    ...(branch === BRANCH ? [] : [`the branch is "${branch}": expected "${BRANCH}"`]),
    ...(unreleasedEntries(changelog).length > 0 ? [] : ['CHANGELOG.md lists nothing under "Unreleased"']),
    ...(git('tag', '--list', tag) === '' ? [] : [`the tag "${tag}" exists`]),
  ];
}
