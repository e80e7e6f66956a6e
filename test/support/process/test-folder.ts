import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

/** A temporary folder, which exists while its tests run. */
export interface TestFolder {
  readonly path: string;
  /** Returns the path of something in the folder. */
  at(...names: readonly string[]): string;
}

/** Makes a folder for each test of the file, and removes it after the test. */
export function folderOfEachTest(): TestFolder {
  return folderBetween(beforeEach, afterEach);
}

/** Makes one folder for all tests of the file, and removes it after the last one. */
export function folderOfAllTests(): TestFolder {
  return folderBetween(beforeAll, afterAll);
}

function folderBetween(before: (make: () => void) => void, after: (remove: () => void) => void): TestFolder {
  let path = '';
  before(() => {
    path = mkdtempSync(join(tmpdir(), 'ftm-watch-test-'));
  });
  after(() => rmSync(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
    at: (...names) => join(path, ...names),
  };
}
