/** Prints what changed in this version, for the page of the release. */
import { readFileSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { releaseNotes } from './changelog.ts';

const { version } = packageJson;
const notes = releaseNotes(readFileSync('CHANGELOG.md', 'utf8'), version);
if (notes === null) {
  process.stderr.write(`Cannot find the release ${version} in CHANGELOG.md: expected "## ${version} (YYYY-MM-DD)"\n`);
  process.exitCode = 1;
} else process.stdout.write(`${notes}\n`);
