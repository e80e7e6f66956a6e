import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reportTarget, writeTo } from '../../../src/cli/report-file.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

function writeWhole(path: string, bytes: Uint8Array, force: boolean): Promise<string | null> {
  return writeTo({ kind: 'file', path }, 'unused.zip', bytes, force, { write: () => undefined });
}

const BYTES = Buffer.alloc(300_000, 'x');

const cwd = folderOfEachTest();

beforeEach(() => {
  mkdirSync(cwd.at('folder'));
  writeFileSync(cwd.at('there.zip'), 'mine');
});
describe('where a report is to go', () => {
  test.each([
    [undefined, false, { kind: 'folder', path: '' }],
    ['-', false, { kind: 'output' }],
    ['folder', false, { kind: 'folder', path: '/folder' }],
    ['folder/', false, { kind: 'folder', path: '/folder' }],
    ['new.zip', false, { kind: 'file', path: '/new.zip' }],
    ['there.zip', true, { kind: 'file', path: '/there.zip' }],
  ] as const)('%s (force: %s)', async (typed, force, expected) => {
    const target = await reportTarget({ typed, cwd: cwd.path, force });
    expect(target).toEqual('path' in expected ? { ...expected, path: `${cwd.path}${expected.path}` } : expected);
  });

  test.each([
    ['there.zip', 'the file already exists; use "--force" to overwrite it'],
    ['gone/report.zip', '/gone" does not exist; create it first'],
    ['gone/', '/gone" does not exist; create it first'],
    ['there.zip/report.zip', 'a part of the path is not a directory'],
    ['/dev/null', 'this is not a regular file; use "-o -" to write to standard output'],
  ])('is not %s', async (typed, reason) => {
    await expect(reportTarget({ typed, cwd: cwd.path, force: false })).rejects.toThrow(reason);
  });

  test('is no device, whatever one is told', async () => {
    await expect(reportTarget({ typed: '/dev/null', cwd: cwd.path, force: true })).rejects.toThrow(
      'not a regular file',
    );
  });
});

describe('a report', () => {
  test('is written whole, for its owner only, and leaves nothing else', async () => {
    const path = cwd.at('folder', 'report.zip');
    await writeWhole(path, BYTES, false);
    expect(readFileSync(path)).toEqual(BYTES);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(cwd.at('folder'))).toEqual(['report.zip']);
  });

  test.each(['there.zip', 'link.zip'])('does not take the place of %s that came meanwhile', async (name) => {
    symlinkSync('nowhere', cwd.at('link.zip'));
    await expect(writeWhole(cwd.at(name), BYTES, false)).rejects.toThrow(`"${cwd.at(name)}": the file already exists`);
    expect(readFileSync(cwd.at('there.zip'), 'utf8')).toBe('mine');
    expect(readdirSync(cwd.path).toSorted()).toEqual(['folder', 'link.zip', 'there.zip']);
  });

  test('takes the place of a file when it is told to, readable or not', async () => {
    chmodSync(cwd.at('there.zip'), 0o644);
    await writeWhole(cwd.at('there.zip'), BYTES, true);
    expect(readFileSync(cwd.at('there.zip'))).toEqual(BYTES);
    expect(statSync(cwd.at('there.zip')).mode & 0o777).toBe(0o600);
  });
});

describeWhere(['root', { program: 'mount' }], 'a file system of its own', () => {
  let mount: string;

  beforeEach(() => {
    mount = cwd.at('folder');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]);
    writeFileSync(join(mount, 'report.zip'), 'old');
  });
  afterEach(() => {
    execFileSync('umount', [mount]);
  });

  test.each([false, true])('when full, is left as it was, and the reason is said (force: %s)', async (force) => {
    const path = join(mount, force ? 'report.zip' : 'new.zip');
    await expect(writeWhole(path, BYTES, force)).rejects.toThrow(`Cannot write to "${path}": the disk is full`);
    expect(readdirSync(mount)).toEqual(['report.zip']);
    expect(readFileSync(join(mount, 'report.zip'), 'utf8')).toBe('old');
  });

  test('when read-only, is refused with the reason', async () => {
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    await expect(writeWhole(join(mount, 'new.zip'), BYTES, false)).rejects.toThrow('the file system is read-only');
  });
});
