import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { lockStore } from '../../../src/store/store-lock.ts';
import { logRecorder, type LogRecorder } from '../../support/process/log-recorder.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const MODULE = new URL('../../../src/store/store-lock.ts', import.meta.url).href;
const HOLD = `
  const { lockStore } = await import(process.argv[1]);
  globalThis.lock = lockStore(process.argv[2], { info: () => undefined, warn: () => undefined });
  console.log('held');
  setInterval(() => undefined, 1_000);`;

const folder = folderOfEachTest();
let path: string;
let log: LogRecorder;
const others: ChildProcess[] = [];

beforeEach(() => {
  path = folder.at('data', 'history.sqlite');
  log = logRecorder();
});

afterEach(async () => {
  await Promise.all(others.splice(0).map(kill));
});

/** Starts a process that holds the store. */
async function holder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, MODULE, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  others.push(child);
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('lockStore()', () => {
  test('refuses a store that another process uses, and names it', async () => {
    const other = await holder();
    expect(() => lockStore(path, log)).toThrow(
      `Cannot use the store "${path}": process ${String(other.pid)} on ${hostname()} is using it`,
    );
    expect(log.lines).toEqual([]);
  });

  test.each(['a link to the store', 'a link to a store that does not exist yet', 'a linked folder'])(
    'refuses it through %s',
    async (how) => {
      mkdirSync(dirname(path));
      if (how === 'a link to the store') writeFileSync(path, '');
      const isFolder = how === 'a linked folder';
      const link = folder.at('link');
      symlinkSync(isFolder ? dirname(path) : path, link);
      await holder();
      expect(() => lockStore(isFolder ? join(link, basename(path)) : link, log)).toThrow('process ');
      expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600);
    },
  );

  test('takes it over from a process that was killed', async () => {
    await kill(await holder());
    lockStore(path, log).release();
    expect(log.lines).toEqual([]);
  });

  test('takes it again after it was released, as a reload does', () => {
    lockStore(path, log).release();
    const again = lockStore(path, log);
    expect(() => lockStore(path, log)).toThrow(`process ${String(process.pid)} on`);
    again.release();
    expect(existsSync(`${path}.holder`)).toBe(false);
  });

  test('says no more than it knows of the other process', async () => {
    await holder();
    writeFileSync(`${path}.holder`, 'process 1 on x\u001B[31m\n');
    expect(() => lockStore(path, log)).toThrow('another process is using it');
    rmSync(`${path}.holder`);
    expect(() => lockStore(path, log)).toThrow('another process is using it');
  });

  test('holds it also while the file that names the process can be neither written nor removed', () => {
    // As on a disk that is full, and on one that has become read-only.
    mkdirSync(`${path}.holder`, { recursive: true });
    const lock = lockStore(path, log);
    expect(() => lockStore(path, log)).toThrow('another process is using it');
    lock.release();
    lockStore(path, log).release();
    expect(log.lines).toEqual([]);
  });

  test('goes on without a lock where none can be made, and says so', () => {
    const file = folder.at('file');
    writeFileSync(file, '');
    lockStore(join(file, 'history.sqlite'), log).release();
    expect(log.lines).toMatchObject([{ level: 'warn', event: 'history-not-locked' }]);
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});
