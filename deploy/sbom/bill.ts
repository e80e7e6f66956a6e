import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const ROOT = new URL('../../', import.meta.url);

/** What the lock file says of a package, and more. */
export interface LockedPackage {
  readonly version: string;
  readonly license?: string | undefined;
  readonly integrity?: string | undefined;
  /** Reached by development dependencies only. */
  readonly dev?: boolean | undefined;
  /** Node itself, for npm scripts; an installation brings its own. */
  readonly optional?: boolean | undefined;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const text = z.string().optional();
const lockedPackage: z.ZodType<LockedPackage> = z.looseObject({
  version: z.string(),
  license: text,
  integrity: text,
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
});
const lockFile: z.ZodType<LockFile> = z.looseObject({ packages: z.record(z.string(), lockedPackage) });
const manifest: z.ZodType<object> = z.looseObject({});

/** All packages of the lock file by their folders. */
export function lockedPackages(): Readonly<Record<string, LockedPackage>> {
  return lockFile.parse(readJson('package-lock.json')).packages;
}

/** What the program runs with, without Node. */
export function productionPackages(): Readonly<Record<string, LockedPackage>> {
  return selected(({ dev, optional }) => dev !== true && optional !== true);
}

/** Node, for each processor. */
export function nodePackages(): Readonly<Record<string, LockedPackage>> {
  return selected(({ dev, optional }) => dev !== true && optional === true);
}

function selected(isWanted: (one: LockedPackage) => boolean): Readonly<Record<string, LockedPackage>> {
  return Object.fromEntries(Object.entries(lockedPackages()).filter(([folder, one]) => folder !== '' && isWanted(one)));
}

/**
 * The bill of materials (CycloneDX, JSON) of the production dependencies and of Node, by npm itself. It is given a lock
 * file without the others: `npm sbom --omit=dev` leaves out what both need, such as zod and yaml here.
 */
export function billOfMaterials(): string {
  const temporary = mkdtempSync(join(tmpdir(), 'ftm-watch-sbom-'));
  // npm calls the whole by its folder.
  const folder = join(temporary, 'ftm-watch');
  try {
    mkdirSync(folder);
    const lock = lockFile.parse(readJson('package-lock.json'));
    write(folder, 'package.json', {
      ...manifest.parse(readJson('package.json')),
      devDependencies: {},
    });
    write(folder, 'package-lock.json', {
      ...lock,
      packages: {
        '': { ...lock.packages[''], devDependencies: {} },
        ...productionPackages(),
        ...nodePackages(),
      },
    });
    const args = [
      'sbom',
      '--package-lock-only',
      '--sbom-format=cyclonedx',
      '--sbom-type=application',
      '--offline',
      '--no-update-notifier',
    ];
    return execFileSync('npm', args, { cwd: folder, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, ROOT), 'utf8'));
}

function write(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value));
}
