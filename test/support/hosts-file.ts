import { writeFile } from 'node:fs/promises';

/**
 * What a command has to begin with to find these names at 127.0.0.1, through the system's resolver: in a mount
 * namespace of its own, with its process id kept. Needs root and the program `unshare`.
 */
export async function withHosts(names: readonly string[], file: string): Promise<readonly string[]> {
  await writeFile(file, `127.0.0.1 localhost ${names.join(' ')}\n`);
  const mount = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', mount, file];
}
