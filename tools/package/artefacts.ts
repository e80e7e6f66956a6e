import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { billOfMaterials } from '../sbom/bill.ts';
import type { Architecture } from './architecture.ts';
import { writeArchive, writeDebianPackage, writeRpm } from './linux-packages.ts';
import { writeNpmPackage } from './npm-package.ts';
import type { Build } from './program.ts';

/** A file from which people install the program, and its purpose. */
export interface Artefact {
  readonly name: string;
  readonly purpose: string;
  /** Writes the file to this path. */
  readonly write: (file: string) => void;
}

const CHART = 'deploy/helm/ftm-watch';
const CHECKSUMS = 'SHA256SUMS';

/**
 * Returns everything that is released, with packages for these architectures. The sources are those of the commit that
 * is checked out.
 */
export function artefactsOf(build: Build, architectures: readonly Architecture[]): readonly Artefact[] {
  const { root, version } = build;
  const name = `ftm-watch-${version}`;
  const archive =
    (prefix: string, ...content: readonly string[]): Artefact['write'] =>
    (file) => {
      const what = ['--format=tar.gz', `--output=${file}`, `--prefix=${prefix}`, ...content];
      execFileSync('git', ['archive', ...what], { cwd: root });
    };
  return [
    ...architectures.flatMap((architecture): readonly Artefact[] => [
      {
        name: `ftm-watch_${version}_${architecture.name}.deb`,
        purpose: 'for Debian and Ubuntu: apt install ./FILE',
        write: (file) => writeDebianPackage(file, build, architecture),
      },
      {
        name: `${name}-1.${architecture.rpmName}.rpm`,
        purpose: 'for Red Hat Enterprise Linux: dnf install ./FILE',
        write: (file) => writeRpm(file, build, architecture),
      },
      {
        name: `${name}-linux-${architecture.name}.tar.xz`,
        purpose: 'for other distributions: INSTALL.md in it',
        write: (file) => writeArchive(file, build, architecture),
      },
    ]),
    {
      name: `${name}-npm.tgz`,
      purpose: 'for npm: npx --package ./FILE ftm-watch check',
      write: (file) => writeNpmPackage(file, build),
    },
    {
      name: `${name}.cdx.json`,
      purpose: 'the bill of materials (CycloneDX), with Node',
      write: (file) => writeFileSync(file, billOfMaterials()),
    },
    { name: `${name}-source.tar.gz`, purpose: 'the source', write: archive(`${name}/`, 'HEAD') },
    {
      name: `${name}-image.tar.gz`,
      purpose: 'what the image is built from: docker build - < FILE',
      write: archive('', 'HEAD', 'Dockerfile', '.dockerignore', ...imageContext(root)),
    },
    {
      name: `${name}.tgz`,
      purpose: 'the Helm chart',
      // The chart without its symbolic links, because Helm does not follow them in an archive.
      write: archive(
        '',
        ...linkedFiles(root),
        '--prefix=ftm-watch/',
        `--mtime=${new Date(build.date * 1000).toISOString()}`,
        `HEAD:${CHART}`,
        '.',
        ':(exclude)files',
      ),
    },
  ];
}

/** Returns git's options that add the files to which the chart links. */
function linkedFiles(root: string): readonly string[] {
  return ['dashboards', 'rules'].flatMap((folder) => [
    `--prefix=ftm-watch/files/${folder}/`,
    ...readdirSync(join(root, CHART, 'files', folder)).map((name) => `--add-file=${CHART}/files/${folder}/${name}`),
  ]);
}

/** Returns the files that `.dockerignore` includes. */
function imageContext(root: string): readonly string[] {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}

/** Writes the files into a new folder, with their checksums, and returns a line for each. */
export function writeArtefacts(folder: string, artefacts: readonly Artefact[]): readonly string[] {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, write } of artefacts) write(join(folder, name));
  writeFileSync(join(folder, CHECKSUMS), checksums(folder));
  return [...artefacts, { name: CHECKSUMS, purpose: `sha256sum --check ${CHECKSUMS}` }].map(({ name, purpose }) => {
    const kilobytes = Math.ceil(statSync(join(folder, name)).size / 1000);
    return `${name.padEnd(36)} ${String(kilobytes).padStart(6)} kB  ${purpose}`;
  });
}

/** Bundles the program for the packages, and deletes the bundle after `use`. */
export function withBundle(root: string, use: (dist: string) => void): void {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'ftm-watch-dist-'));
  const dist = join(temporary.path, 'dist');
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  execFileSync(process.execPath, ['tools/bundle/bundle.ts', dist], { cwd: root, stdio: [...stdio] });
  use(dist);
}

function checksums(folder: string): string {
  const sum = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return readdirSync(folder)
    .toSorted()
    .map((name) => `${sum(name)}  ${name}\n`)
    .join('');
}
