import { copyFileSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../src/store/database.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { runCommand, type Ran } from '../../support/process/command-line.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { openedEntry, openedInCopy, roundRecord } from '../../support/store/store-records.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const RELEASED = new URL('../../fixtures/store/0.1.0/history.sqlite', import.meta.url);

const folder = folderOfEachTest();
let path: string;

beforeEach(() => {
  path = folder.at('store.sqlite');
  writeFileSync(folder.at('ftm-watch.yaml'), 'store: { path: store.sqlite }');
});

function run(...args: readonly string[]): Promise<Ran> {
  return runCommand(['store', ...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path });
}

function open(file = path): Store {
  return createStore({ path: file, retention: 24 * HOUR }, { clock: handClock(START), logger: logRecorder() });
}

/** Opens a store as its daemon does. */
function openStore(): Disposable {
  const store = open();
  store.recordRound(roundRecord(START));
  store.journal.record(openedEntry());
  return { [Symbol.dispose]: () => store.close() };
}

const VERSION = String(MIGRATIONS.length);

describe('ftm-watch store check', () => {
  test('says what is in a store that a daemon uses', async () => {
    using _ = openStore();
    expect(await run('check')).toEqual({
      code: 0,
      output: expect.stringMatching(
        new RegExp(
          `^${path}: intact, \\d+ KiB, 1 incident, 2 undelivered messages, last written at ` +
            `${new Date(START).toISOString()}; version ${VERSION}\n$`,
          'u',
        ),
      ),
      errors: '',
    });
  });

  test('says that there is none, and that it is none', async () => {
    expect(await run('check')).toEqual({ code: 3, output: '', errors: `${path}: the store does not exist\n` });
    writeFileSync(path, 'no database, and long enough to be taken for one'.repeat(100));
    expect(await run('check')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/: the store is damaged; .*\n- /u),
    });
    writeFileSync(path, '');
    expect(await run('check')).toMatchObject({ code: 3, errors: expect.stringContaining('is empty') });
    expect(await run('check', '.')).toMatchObject({ code: 3, errors: expect.stringContaining('regular') });
  });

  test('finds a damage in the middle', async () => {
    openStore()[Symbol.dispose]();
    truncateSync(path, statSync(path).size - 4096);
    expect(await run('check')).toMatchObject({
      code: 2,
      output: '',
      errors: expect.stringContaining('the store is damaged'),
    });
  });

  test('tells what becomes of an older store, and of a newer one, and changes neither', async () => {
    copyFileSync(RELEASED, path);
    expect((await run('check', 'store.sqlite')).output).toContain(
      `version 3, which the daemon will upgrade to ${VERSION} after making a copy`,
    );
    {
      using db = new DatabaseSync(path);
      db.exec('PRAGMA user_version = 99');
    }
    const before = readFileSync(path);
    expect(await run('check')).toMatchObject({
      code: 2,
      errors: expect.stringContaining(
        `version 99, but this ftm-watch supports versions up to ${VERSION}: start the newer ftm-watch`,
      ),
    });
    expect(readFileSync(path)).toEqual(before);
  });
});

describe('ftm-watch store backup', () => {
  test('copies a store with what its daemon has written last, for the owner alone', async () => {
    using _ = openStore();

    const ran = await run('backup', 'copy.sqlite');
    expect(ran).toEqual({
      code: 0,
      output: expect.stringMatching(
        /^The copy does not contain 2 undelivered notifications\. .*\n.*copy\.sqlite: intact, .*, 0 undelivered messages/u,
      ),
      errors: '',
    });
    const whole = await run('backup', 'whole.sqlite', '--keep-pending');
    expect(whole.output).toMatch(/^\S+whole\.sqlite: intact, .*, 2 undelivered messages/u);
    const copy = folder.at('copy.sqlite');
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const restored = open(copy);
    expect(restored.journal.savedState()).toEqual(openedInCopy());
    restored.close();
  });

  test('replaces a copy only when it is told to, and as a whole', async () => {
    using _ = openStore();
    writeFileSync(folder.at('copy.sqlite'), 'precious');
    expect(await run('backup', 'copy.sqlite')).toMatchObject({
      code: 3,
      errors: `Cannot write "${folder.at('copy.sqlite')}": the file already exists; use --force to overwrite it\n`,
    });
    expect(readFileSync(folder.at('copy.sqlite'), 'utf8')).toBe('precious');
    expect((await run('backup', 'copy.sqlite', '--force')).code).toBe(0);
    expect((await run('check', 'copy.sqlite')).code).toBe(0);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('copy'))).toEqual(['copy.sqlite']);
  });

  test('does not replace the store itself, under any name', async () => {
    using _ = openStore();
    symlinkSync(path, folder.at('link.sqlite'));
    for (const name of ['store.sqlite', 'link.sqlite'])
      expect(await run('backup', name, '--force')).toEqual({
        code: 3,
        output: '',
        errors: expect.stringContaining('to itself'),
      });
  });

  test('leaves nothing of a copy that cannot be made', async () => {
    expect((await run('backup', 'copy.sqlite')).errors).toBe(`Cannot copy the store "${path}": it does not exist\n`);
    writeFileSync(path, 'no database'.repeat(1_000));
    expect(await run('backup', 'copy.sqlite')).toMatchObject({ code: 3, output: '' });
    expect((await run('backup', 'none/copy.sqlite')).code).toBe(3);
    expect(readdirSync(folder.path).toSorted()).toEqual(['ftm-watch.yaml', 'store.sqlite']);
  });
});
