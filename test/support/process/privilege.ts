import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import { unpackedPackage } from '../packaging/unpacked-package.ts';

/**
 * A requirement of a test: Linux (`/proc`, its signals), root, separate network namespaces, a program on the PATH, or
 * a Debian package unpacked by `.ci/run`.
 */
export type Need =
  | 'linux'
  | 'root'
  | 'network-namespaces'
  | { readonly program: string }
  | { readonly unpacked: string };

// Debian does not put some of its daemons on an ordinary user's PATH.
const SYSTEM_FOLDERS: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * Returns the reason why this machine cannot run a test with these needs, or undefined if it can.
 *
 * @throws Error if something is missing and CI is set, because a skipped test there would be lost.
 */
export function missing(needs: readonly Need[]): string | undefined {
  const reason = needs.map(shortfall).find((found) => found !== undefined);
  if (reason !== undefined && isCi()) {
    throw new Error(`Cannot skip a test in CI: ${reason}`);
  }
  return reason;
}

/**
 * A `describe` whose tests are skipped, with the reason printed, on a machine that lacks one of the needs. In CI,
 * that is a failure.
 */
export function describeWhere(needs: readonly Need[], name: string, body: () => void): void {
  const reason = missing(needs);
  if (reason === undefined) {
    describe(name, body);
    return;
  }
  console.warn(`Skipped "${name}": ${reason}`);
  describe.skip(`${name} (skipped: ${reason})`, body);
}

/** Returns the full path of a program, using root's search path; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isCi(): boolean {
  const value = process.env['CI'] ?? '';
  return value !== '' && value !== 'false';
}

function shortfall(need: Need): string | undefined {
  if (need === 'linux') {
    return process.platform === 'linux' ? undefined : 'it needs Linux';
  }
  if (need === 'root') {
    return process.getuid?.() === 0 ? undefined : 'it needs root';
  }
  if (need === 'network-namespaces') {
    return namespaceShortfall();
  }
  if ('unpacked' in need) {
    return unpackedPackage(need.unpacked) === undefined
      ? `it needs the Debian package ${need.unpacked} in .cache/debian`
      : undefined;
  }
  return findProgram(need.program) === undefined ? `it needs the program "${need.program}"` : undefined;
}

function namespaceShortfall(): string | undefined {
  const ip = findProgram('ip');
  if (ip === undefined) {
    return 'it needs the program "ip" (Debian package iproute2)';
  }
  // Root inside a container may still be denied, which only an attempt shows.
  const tried = spawnSync('unshare', ['--net', ip, 'link', 'show', 'lo'], { stdio: 'ignore' });
  return tried.status === 0 ? undefined : 'it needs the right to create network namespaces';
}
