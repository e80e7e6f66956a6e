/** Before `npm version` changes anything: says why this version cannot be released from this folder. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isMaintainer } from '../package/maintainer.ts';
import { unreleasedEntries } from './changelog.ts';

/** The branch that is released. */
const BRANCH = 'main';
const { npm_new_version: version = '', MAINTAINER: maintainer = '' } = process.env;

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trimEnd();
}

function* refusals(): Generator<string> {
  if (!/^\d+\.\d+\.\d+$/u.test(version)) yield `the version is "${version}": expected a version like 1.2.3`;
  const changed = git('status', '--porcelain');
  if (changed !== '') yield `what is not committed:\n${changed}`;
  const branch = git('branch', '--show-current');
  if (branch !== BRANCH) yield `the branch is "${branch}": expected "${BRANCH}"`;
  if (unreleasedEntries(readFileSync('CHANGELOG.md', 'utf8')).length === 0)
    yield 'CHANGELOG.md lists nothing under "Unreleased"';
  if (git('tag', '--list', `v${version}`) !== '') yield `the tag "v${version}" exists`;
  if (!isMaintainer(maintainer)) yield `MAINTAINER is "${maintainer}": expected "NAME <MAIL>"`;
}

const reasons = [...refusals()];
if (reasons.length > 0) {
  process.stderr.write(`Cannot release ${version}:\n${reasons.map((reason) => `  ${reason}\n`).join('')}`);
  process.exitCode = 1;
}
