import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { ARCHITECTURES } from './architecture.ts';
import { type Artefact, packages, withBundle, writeArtefacts } from './artefacts.ts';
import { sourceDate } from './source-date.ts';

const NAMES = ARCHITECTURES.map(({ name }) => name).join(', ');
const USAGE = `Usage: npm run package -- [--arch NAME]... [--output FOLDER] [NAME]...

Builds what the program is installed from: packages for Debian, archives, a package for npm, the bill of materials and
checksums. The same commit gives the same bytes, except for the bill.

NAME      only files whose names contain this, such as .deb
--arch    only for this processor, of ${NAMES} (Node for another one than this machine's is fetched by npm)
--output  a folder, which is emptied (default: release/packages)
--help    this text
`;

const ROOT = join(import.meta.dirname, '../..');

function wantedOf(names: readonly string[]): (artefact: Artefact) => boolean {
  return ({ name }) => names.length === 0 || names.some((one) => name.includes(one));
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      arch: { type: 'string', multiple: true, default: [] },
      output: { type: 'string', default: 'release/packages' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const unknown = values.arch.filter((arch) => ARCHITECTURES.every(({ name }) => name !== arch));
  if (unknown.length > 0) throw new Error(`Cannot build for "${unknown.join('", "')}": expected some of ${NAMES}`);
  const architectures = ARCHITECTURES.filter(({ name }) => values.arch.length === 0 || values.arch.includes(name));
  const folder = resolve(ROOT, values.output);
  withBundle(ROOT, (dist) => {
    const build = { root: ROOT, version: packageJson.version, date: sourceDate(ROOT, process.env), dist };
    const artefacts = packages(build, architectures).filter(wantedOf(positionals));
    for (const line of writeArtefacts(folder, artefacts)) process.stdout.write(`${line}\n`);
  });
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
