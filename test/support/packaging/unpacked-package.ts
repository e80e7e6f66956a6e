import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `.ci/run` unpacks Debian packages here that cannot be installed next to others. */
const FOLDER = new URL('../../../.cache/debian/', import.meta.url);

/** Returns the root of an unpacked package (which contains `usr/sbin/…`); undefined if it is not unpacked here. */
export function unpackedPackage(name: string): string | undefined {
  const folder = fileURLToPath(new URL(name, FOLDER));
  return existsSync(folder) ? folder : undefined;
}
