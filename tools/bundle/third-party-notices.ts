import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u;
const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/iu;
/** Some authors include the license in the README instead. */
const LICENSE_SECTION = /(?<=^# License\n)[^]*/mu;

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** Returns the folder of the installed package that contains a file; null if it is our own. */
export function packageFolder(file: string): string | null {
  return FOLDER.exec(file)?.[0] ?? null;
}

/**
 * Returns what package licenses require in a program that contains the packages: their names, versions and texts.
 * @throws {Error} if a package has no license
 */
export function thirdPartyNotices(folders: readonly string[]): string {
  const notices = folders.map((folder) => {
    const { name, version, license } = manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
    const texts = licenseTexts(folder);
    if (texts.length === 0) throw new Error(`Cannot find the license of the package "${name}" in "${folder}"`);
    return [`${name} ${version} (${license})`, ...texts].join('\n\n');
  });
  return `ftm-watch contains these packages.\n\n${notices.toSorted().join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function licenseTexts(folder: string): readonly string[] {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const files = readdirSync(folder).filter((file) => LICENSE_FILE.test(file));
  const texts = files.length > 0 ? files.toSorted().map(read) : (LICENSE_SECTION.exec(read('README.md')) ?? []);
  return [...texts].map((text) => text.trim());
}
