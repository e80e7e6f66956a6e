import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { ARCHITECTURES } from './architecture.ts';
import { type Artefact, artefactsOf, withBundle, writeArtefacts } from './artefacts.ts';
import { isMaintainer, NO_MAINTAINER } from './maintainer.ts';
import { sourceDate } from './source-date.ts';

const NAMES = ARCHITECTURES.map(({ name }) => name).join(', ');
const USAGE = `Usage: npm run package -- [--arch NAME]... [--maintainer "NAME <MAIL>"] [--output FOLDER] [NAME]...

Builds what is released: packages for Debian and Red Hat Enterprise Linux, archives, a package for npm, the bill of
materials, the sources and checksums. The same commit gives the same bytes, except for the bill. Needs git and Debian's
packages debhelper, rpm and xz-utils.

NAME          only files whose names contain this, such as .deb
--arch        only for this processor, of ${NAMES} (Node for another one than this machine's is fetched by npm)
--maintainer  who answers for the packages (default: the environment variable MAINTAINER; without it, the packages say
              that nobody does)
--output      a folder, which is emptied (default: release/packages)
--help        this text
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
      maintainer: { type: 'string', default: process.env['MAINTAINER'] ?? NO_MAINTAINER },
      output: { type: 'string', default: 'release/packages' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { arch, maintainer, output } = values;
  const unknown = arch.filter((one) => ARCHITECTURES.every(({ name }) => name !== one));
  if (unknown.length > 0) throw new Error(`Cannot build for "${unknown.join('", "')}": expected some of ${NAMES}`);
  if (!isMaintainer(maintainer)) throw new Error(`Cannot name "${maintainer}" as maintainer: expected "NAME <MAIL>"`);
  const architectures = ARCHITECTURES.filter(({ name }) => arch.length === 0 || arch.includes(name));
  const date = sourceDate(ROOT, process.env);
  withBundle(ROOT, (dist) => {
    const build = { root: ROOT, version: packageJson.version, date, maintainer, dist };
    const artefacts = artefactsOf(build, architectures).filter(wantedOf(positionals));
    for (const line of writeArtefacts(resolve(ROOT, output), artefacts)) process.stdout.write(`${line}\n`);
  });
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
