import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { withBundle, writeArtefacts } from '../package/artefacts.ts';
import { sourceDate } from '../package/source-date.ts';
import { releaseFiles } from './artefacts.ts';
import { releasedChangelog, unreleasedEntries } from './changelog.ts';
import { gitIn } from './git.ts';
import { refusals } from './refusals.ts';
import { nextVersion } from './version.ts';

const USAGE = `Usage: npm run release -- VERSION [--dry-run]

Makes a release on this machine: the version, the changelog, the files, a commit and a tag. Nothing is pushed.

VERSION      major, minor, patch, or a version like 1.2.3
--dry-run    looks whether it can be released, says what would be done, and changes nothing
--help       this text

Refused while something is not committed, on another branch than main, without an entry under "Unreleased" in
CHANGELOG.md, and when the tag exists. It runs no test: CI of the commit says whether it works.
`;

const ROOT = join(import.meta.dirname, '../..');
const git = gitIn(ROOT);

interface Release {
  readonly version: string;
  readonly tag: string;
  /** The commit before the release. */
  readonly start: string;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}

function commit({ version }: Release, changelog: string): void {
  run('npm', 'version', version, '--no-git-tag-version', '--ignore-scripts');
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(join(ROOT, 'CHANGELOG.md'), releasedChangelog(changelog, version, date));
  run(process.execPath, 'tools/generate/run.ts');
  git('commit', '--quiet', '--all', '--message', `release: ${version}`);
  say(`Set the version ${version} (it was ${packageJson.version}) in:`);
  for (const path of git('diff', '--name-only', 'HEAD~1').split('\n')) say(`  ${path}`);
  say(`Committed ${git('rev-parse', '--short', 'HEAD')} "release: ${version}"`);
}

function build({ version }: Release): void {
  const folder = `release/${version}`;
  const written = withBundle(ROOT, (dist) => {
    const files = releaseFiles({ root: ROOT, version, date: sourceDate(ROOT, process.env), dist }, git);
    return writeArtefacts(join(ROOT, folder), files);
  });
  say(`Wrote into ${folder}/:`);
  for (const line of written) say(`  ${line}`);
}

function release(made: Release, changelog: string): void {
  const { version, tag, start } = made;
  const undo = `git reset --hard ${start} && rm -rf release/${version}`;
  try {
    commit(made, changelog);
    build(made);
    git('tag', '--annotate', tag, '--message', `ftm-watch ${version}`);
  } catch (error) {
    process.stderr.write(`Cannot release ${version}: ${String(error)}\nTo undo what was done so far:\n  ${undo}\n`);
    process.exitCode = 1;
    return;
  }
  say(`Tagged it ${tag}\n\nNothing has left this machine. To publish:\n  git push origin main ${tag}`);
  say(`To undo, before it is published:\n  git tag --delete ${tag} && ${undo}`);
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  const [wanted, ...more] = positionals;
  if (values.help || wanted === undefined || more.length > 0) {
    (values.help ? process.stdout : process.stderr).write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const version = nextVersion(packageJson.version, wanted);
  const tag = `v${version}`;
  const reasons = refusals(ROOT, git, tag);
  if (reasons.length > 0) {
    process.stderr.write(`Cannot release ${version}:\n${reasons.map((reason) => `  ${reason}\n`).join('')}`);
    process.exitCode = 1;
    return;
  }
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  // Without "--" before it, npm takes the option itself.
  if (values['dry-run'] || process.env['npm_config_dry_run'] === 'true') {
    const entries = unreleasedEntries(changelog).length;
    say(`Would release ${version} (it is ${packageJson.version}) with ${String(entries)} entries of the changelog:`);
    say(`a commit on main, files in release/${version}/, and the tag ${tag}. Nothing was changed.`);
    return;
  }
  release({ version, tag, start: git('rev-parse', '--short', 'HEAD') }, changelog);
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
