import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempDisposableSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { lockedPackages } from '../sbom/bill.ts';
import type { Architecture } from './architecture.ts';

/**
 * Returns the folder with Node for an architecture, containing `bin/node` and `LICENSE`: for this machine, as
 * installed by npm; for others, fetched from the registry into `.cache/`, with the version and checksum of the lock
 * file.
 * @throws {Error} if npm cannot fetch it, or the checksum does not match
 */
export function nodeRuntime(root: string, { nodePackage }: Architecture): string {
  const installed = join(root, 'node_modules', nodePackage);
  if (existsSync(installed)) return installed;
  const { version, integrity = '' } = lockedPackages()[`node_modules/${nodePackage}`] ?? { version: 'none' };
  const cache = join(root, '.cache/node');
  const cached = join(cache, `${nodePackage}-${version}`);
  if (existsSync(cached)) return cached;
  mkdirSync(cache, { recursive: true });
  using temporary = mkdtempDisposableSync(join(cache, 'fetched-'));
  const archive = fetched(`${nodePackage}@${version}`, temporary.path);
  const checksum = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (checksum !== integrity)
    throw new Error(`Cannot use ${nodePackage} ${version}: expected the checksum "${integrity}", got "${checksum}"`);
  execFileSync('tar', ['--extract', '--file', archive, '--directory', temporary.path]);
  renameSync(join(temporary.path, 'package'), cached);
  return cached;
}

function fetched(specifier: string, folder: string): string {
  const args = ['pack', specifier, '--silent', '--ignore-scripts', `--pack-destination=${folder}`];
  return join(folder, execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }).trim());
}
