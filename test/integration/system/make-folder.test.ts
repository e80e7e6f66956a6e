import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../../src/system/json-file.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const MODULE = new URL('../../../src/system/json-file.ts', import.meta.url).href;
const MAKE = `
  const { makeFolder } = await import(process.argv[1]);
  try { makeFolder(process.argv[2]); } catch (error) { console.log(error.message); }`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('makeFolder()', () => {
  test('makes a folder and those above it, each with the mode', () => {
    makeFolder(join(folder, 'a', 'b'), 0o700);

    for (const made of ['a', 'a/b']) expect(statSync(join(folder, made)).mode.toString(8)).toBe('40700');
  });

  test('leaves one alone that is there', () => {
    const { mode } = statSync(folder);

    makeFolder(folder, 0o500);
    expect(statSync(folder).mode).toBe(mode);
  });

  test('names the folder that a file is in the way of', () => {
    writeFileSync(join(folder, 'file'), '');

    expect(() => makeFolder(join(folder, 'file', 'a', 'b'))).toThrow(
      `Cannot create the folder "${join(folder, 'file')}": EEXIST`,
    );
  });
});

describeWhere(['linux'], 'makeFolder() below a folder that takes none', () => {
  // In a separate process, because a process that hangs can only be killed.
  test.each(['/proc/nope', '/proc/nope/deep/er'])('comes back, for %s', (path) => {
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', MAKE, MODULE, path], {
      timeout: 10_000,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    });

    expect(signal).toBeNull();
    expect(stdout).toMatch(/^Cannot create the folder "\/proc\/nope": ENOENT/u);
  });
});
