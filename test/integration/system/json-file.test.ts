import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createBackgroundWriter, jsonFile, type JsonFile, replaceFile } from '../../../src/system/json-file.ts';

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
    const path = join(folder.path, 'state.json');
    // Opening a pipe without a reader blocks forever.
    const pipe = `${path}.${String(process.pid)}.tmp`;
    execFileSync('mkfifo', [pipe]);
    const writer = createBackgroundWriter();
    const file = writer.of(jsonFile(path));
    for (let value = 1; value <= 100; value += 1) file.save({ value });
    const reader = await open(pipe);
    const text = await reader.readFile('utf8');
    await reader.close();
    await writer.written();
    expect(JSON.parse(text)).toEqual({ value: 1 });
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ value: 100 });
  });
});
