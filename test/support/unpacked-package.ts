import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where `.ci/run` unpacks Debian packages that cannot be installed beside others. */
const FOLDER = new URL('../../.cache/debian/', import.meta.url);

/** The root of an unpacked package (`usr/sbin/…` below it); undefined when it is not unpacked here. */
export function unpackedPackage(name: string): string | undefined {
  const folder = fileURLToPath(new URL(name, FOLDER));
  return existsSync(folder) ? folder : undefined;
}
