import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const ROOT = new URL('../../', import.meta.url);

/** Fields of a package in the lock file. */
export interface LockedPackage {
  readonly version: string;
  readonly license?: string | undefined;
  readonly integrity?: string | undefined;
  /** Only used by development dependencies. */
  readonly dev?: boolean | undefined;
  /** Node itself, for npm scripts. An installation has its own. */
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
const billOfNpm = z.looseObject({
  components: z.array(z.looseObject({})),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
const manifest: z.ZodType<object> = z.looseObject({});

/** Returns all packages by folder. */
export function lockedPackages(): Readonly<Record<string, LockedPackage>> {
  return lockFile.parse(readJson('package-lock.json')).packages;
}

/** Returns the runtime packages by folder, without development packages. */
export function productionPackages(): Readonly<Record<string, LockedPackage>> {
  return Object.fromEntries(
    Object.entries(lockedPackages()).filter(
      ([folder, { dev, optional }]) => folder !== '' && dev !== true && optional !== true,
    ),
  );
}

/** Returns the bill of materials (CycloneDX, JSON): the production dependencies, and the Node on which they run. */
export function billOfMaterials(): string {
  const bill = billOfNpm.parse(JSON.parse(packagesByNpm()));
  const node = nodeComponent();
  const [root = { ref: '', dependsOn: [] }, ...others] = bill.dependencies;
  const dependencies = [
    { ...root, dependsOn: [...root.dependsOn, node['bom-ref']] },
    ...others,
    { ref: node['bom-ref'], dependsOn: [] },
  ];
  return `${JSON.stringify({ ...bill, components: [...bill.components, node], dependencies }, null, 2)}\n`;
}

/**
 * Uses npm with a lock file that contains only these packages, because `npm sbom --omit=dev` leaves out packages that
 * both kinds need, such as zod.
 */
function packagesByNpm(): string {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'ftm-watch-sbom-'));
  // npm uses the folder's name for the root component.
  const folder = join(temporary.path, 'ftm-watch');
  mkdirSync(folder);
  const lock = lockFile.parse(readJson('package-lock.json'));
  write(folder, 'package.json', {
    ...manifest.parse(readJson('package.json')),
    devDependencies: {},
    optionalDependencies: {},
  });
  write(folder, 'package-lock.json', {
    ...lock,
    packages: {
      '': { ...lock.packages[''], devDependencies: {}, optionalDependencies: {} },
      ...productionPackages(),
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
}

/** Includes the names that scanners recognise, and the source of its builds. */
function nodeComponent() {
  const builds = Object.entries(lockedPackages()).filter(([folder]) => folder.startsWith('node_modules/node-linux-'));
  const version = builds[0]?.[1].version ?? '';
  return {
    'bom-ref': `node@${version}`,
    type: 'platform',
    name: 'node',
    version,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/node@${version}`,
    licenses: [{ license: { id: 'MIT' } }],
    externalReferences: builds.map(([folder, { integrity = '' }]) => ({
      type: 'distribution',
      url: `https://www.npmjs.com/package/${folder.slice('node_modules/'.length)}/v/${version}`,
      hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') }],
    })),
  } as const;
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, ROOT), 'utf8'));
}

function write(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value));
}
