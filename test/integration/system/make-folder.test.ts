import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeFolder } from '../../../src/system/json-file.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const MODULE = new URL('../../../src/system/json-file.ts', import.meta.url).href;
const MAKE = `
  const { makeFolder } = await import(process.argv[1]);
  try { makeFolder(process.argv[2]); } catch (error) { console.log(error.message); }`;

const folder = folderOfEachTest();

describe('makeFolder()', () => {
  test('makes a folder and those above it, each with the mode', () => {
    makeFolder(folder.at('a', 'b'), 0o700);
    for (const made of ['a', 'a/b']) expect(statSync(folder.at(made)).mode.toString(8)).toBe('40700');
  });

  test('leaves one alone that is there', () => {
    const { mode } = statSync(folder.path);
    makeFolder(folder.path, 0o500);
    expect(statSync(folder.path).mode).toBe(mode);
  });

  test('names the folder that a file is in the way of', () => {
    writeFileSync(folder.at('file'), '');
    expect(() => makeFolder(folder.at('file', 'a', 'b'))).toThrow(
      `Cannot create the folder "${folder.at('file')}": EEXIST`,
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
