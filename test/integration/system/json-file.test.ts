import { execFileSync } from 'node:child_process';
import { chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createBackgroundWriter, jsonFile, type JsonFile, replaceFile } from '../../../src/system/json-file.ts';
import { describeWhere } from '../../support/process/privilege.ts';

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ftm-watch-json-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('a JSON file', () => {
  test('is written into a folder that is not there yet, and gone again', async () => {
    await using folder = await temporaryFolder();
    const file = jsonFile(join(folder.path, 'new', 'state.json'));
    await file.save({ count: 1 });
    expect(await file.load()).toEqual({ count: 1 });
    await rm(join(folder.path, 'new'), { recursive: true });
    await file.save({ count: 2 });
    expect(await file.load()).toEqual({ count: 2 });
  });
});

describe('replaceFile()', () => {
  test('leaves nothing beside the file when it fails', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'state.json');
    await mkdir(path);
    await expect(replaceFile(path, 'new', { mode: 0o600, flush: false })).rejects.toThrow('EISDIR');
    expect(await readdir(folder.path)).toEqual(['state.json']);
  });
});

describeWhere(['root'], 'replaceFile() by root in the folder of another user', () => {
  test('never writes through links, and gives the file to that user', async () => {
    await using folder = await temporaryFolder();
    const [path, victim] = [join(folder.path, 'data', 'trust.json'), join(folder.path, 'victim')];
    await mkdir(join(folder.path, 'data'));
    await chown(join(folder.path, 'data'), 65_534, 65_534);
    await writeFile(victim, 'of root');
    // The file itself, and the temporary names that can be guessed.
    for (const name of [path, `${path}.tmp`, `${path}.${String(process.pid)}.tmp`]) await symlink(victim, name);
    await replaceFile(path, 'new', { mode: 0o600, flush: true });
    expect(await readFile(victim, 'utf8')).toBe('of root');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await lstat(path)).toMatchObject({ uid: 65_534, gid: 65_534, mode: 0o100_600 });
  });
});

describe('files that are written in the background', () => {
  test('are written one after the other, the latest value of each', async () => {
    const steps: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = (name: string): JsonFile => ({
      load: () => Promise.resolve(null),
      save: async (value) => {
        steps.push(`${name} ${String(value)}`);
        await promise;
        steps.push(`${name} done`);
      },
    });
    const writer = createBackgroundWriter();
    const [share, genuine] = [writer.of(slow('share')), writer.of(slow('genuine'))];
    share.save(1);
    genuine.save(1);
    for (const value of [2, 3]) share.save(value);
    expect(steps).toEqual(['share 1']);
    resolve();
    await writer.written();
    expect(steps).toEqual(['share 1', 'share done', 'genuine 1', 'genuine done', 'share 3', 'share done']);
    share.save(4);
    await writer.written();
    expect(steps.slice(-2)).toEqual(['share 4', 'share done']);
  });

  test('hold up nobody while the disk hangs', async () => {
    await using folder = await temporaryFolder();
    // Opening a pipe without a reader blocks forever.
    const pipe = join(folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = createBackgroundWriter();
    const file = writer.of({
      load: () => Promise.resolve(null),
      save: (value) => writeFile(pipe, `${String(value)}\n`),
    });
    for (let value = 1; value <= 100; value += 1) file.save(value);
    // Without a free thread, this file could not be read.
    await readFile(import.meta.filename);
    let written = '';
    while (!written.endsWith('100\n')) written += await readFile(pipe, 'utf8');
    expect(written).toBe('1\n100\n');
    await writer.written();
  });
});
