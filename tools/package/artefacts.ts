import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { billOfMaterials } from '../sbom/bill.ts';
import { type Architecture, ARCHITECTURES } from './architecture.ts';
import { writeArchive } from './archive.ts';
import { writeDebianPackage } from './debian-package.ts';
import { writeNpmPackage } from './npm-package.ts';
import type { Build } from './program-tree.ts';

/** A file from which people install the program, and its purpose. */
export interface Artefact {
  readonly name: string;
  readonly purpose: string;
  /** Writes the file to this path. */
  readonly write: (file: string) => void;
}

const CHECKSUMS = 'SHA256SUMS';

/** Returns all packages for these architectures. */
export function packages(build: Build, architectures: readonly Architecture[] = ARCHITECTURES): readonly Artefact[] {
  const { version } = build;
  return [
    ...architectures.flatMap((architecture): readonly Artefact[] => [
      {
        name: `ftm-watch_${version}_${architecture.name}.deb`,
        purpose: 'for Debian and Ubuntu: apt install ./FILE',
        write: (file) => writeDebianPackage(file, build, architecture),
      },
      {
        name: `ftm-watch-${version}-linux-${architecture.name}.tar.xz`,
        purpose: 'for other distributions: INSTALL.md in it',
        write: (file) => writeArchive(file, build, architecture),
      },
    ]),
    {
      name: `ftm-watch-${version}-npm.tgz`,
      purpose: 'for npm: npx --package ./FILE ftm-watch check',
      write: (file) => writeNpmPackage(file, build),
    },
    {
      name: `ftm-watch-${version}.cdx.json`,
      purpose: 'the bill of materials (CycloneDX), with Node',
      write: (file) => writeFileSync(file, billOfMaterials()),
    },
  ];
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
export function withBundle<T>(root: string, use: (dist: string) => T): T {
  const temporary = mkdtempSync(join(tmpdir(), 'ftm-watch-dist-'));
  const dist = join(temporary, 'dist');
  try {
    execFileSync(process.execPath, ['tools/bundle/bundle.ts', dist], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return use(dist);
  } finally {
    rmSync(temporary, { recursive: true });
  }
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
