import { appendFile, rename, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Follower } from '../../../src/logs/tail.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { lineCollector } from '../../support/logs/line-collector.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

type FileMark = NonNullable<ReturnType<Follower['marks']>>[number];

const folder = folderOfEachTest();
let log = '';
let clock: HandClock;

beforeEach(async () => {
  log = folder.at('fac.log');
  clock = handClock(0);
});

interface Followed {
  readonly recorder: ReturnType<typeof logRecorder>;
  /** Returns the lines since the last call. */
  lines(): Promise<readonly string[]>;
  marks(): readonly FileMark[];
  stop(): Promise<readonly FileMark[]>;
}

function follow(resume: readonly FileMark[] | null = null): Followed {
  const collector = lineCollector();
  const recorder = logRecorder();
  const follower = new Follower({ path: log, resume, clock, logger: recorder, sink: () => collector.sink });
  onTestFinished(() => follower.close());
  return {
    recorder,
    lines: async () => {
      await follower.poll(new AbortController().signal);
      return collector.lines.splice(0).map(({ text }) => text);
    },
    marks: () => follower.marks() ?? [],
    stop: async () => {
      await follower.close();
      return follower.marks() ?? [];
    },
  };
}

describe('Follower', () => {
  test('begins at the end of a file it never saw, and reads what is added', async () => {
    await writeFile(log, 'history\n');
    const followed = follow();
    expect(await followed.lines()).toEqual([]);
    await appendFile(log, 'one\ntwo\nthr');
    expect(await followed.lines()).toEqual(['one', 'two']);
    await appendFile(log, 'ee\n');
    expect(await followed.lines()).toEqual(['three']);
  });

  test('reads a file that appears later from its beginning', async () => {
    const followed = follow();
    expect(await followed.lines()).toEqual([]);
    await writeFile(log, 'one\n');
    expect(await followed.lines()).toEqual(['one']);
    expect(followed.recorder.lines).toEqual([expect.objectContaining({ event: 'log-file-missing' })]);
  });

  test('follows a rename, reads the old file to its late end, and gives it up after a while', async () => {
    await writeFile(log, '');
    const followed = follow();
    await followed.lines();
    await appendFile(log, 'one\n');
    await followed.lines();
    await appendFile(log, 'two\n');
    await rename(log, `${log}.1`);
    expect(await followed.lines()).toEqual(['two']);
    await writeFile(log, 'three\n');
    await appendFile(`${log}.1`, 'late\nunfinished');
    expect(await followed.lines()).toEqual(['late', 'three']);
    expect(followed.marks()).toHaveLength(2);
    clock.advance(31_000);
    expect(await followed.lines()).toEqual(['unfinished']);
    expect(followed.marks()).toHaveLength(1);
    await appendFile(log, 'four\n');
    expect(await followed.lines()).toEqual(['four']);
  });

  test('sees a truncation even when the file has grown longer than it was', async () => {
    await writeFile(log, '');
    const followed = follow();
    await followed.lines();
    await appendFile(log, 'one\n');
    await followed.lines();
    await truncate(log);
    await appendFile(log, 'something else\nmuch longer\n');
    expect(await followed.lines()).toEqual(['something else', 'much longer']);
    expect(followed.recorder.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('replaced before it was read completely'),
      }),
    ]);
  });

  test('sees a truncation to the same text as before, only less of it', async () => {
    await writeFile(log, '');
    const followed = follow();
    await followed.lines();
    await appendFile(log, 'same\n'.repeat(200));
    expect(await followed.lines()).toHaveLength(200);
    await writeFile(log, 'same\n'.repeat(150));
    expect(await followed.lines()).toHaveLength(150);
  });

  test('reads megabytes in one go', async () => {
    await writeFile(log, '');
    const followed = follow();
    await followed.lines();
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${String(index)} ${'x'.repeat(40)}`);
    await appendFile(log, `${lines.join('\n')}\n`);
    expect(await followed.lines()).toEqual(lines);
  });

  test('goes on after a restart where it stopped, the unfinished line included', async () => {
    await writeFile(log, '');
    const before = follow();
    await before.lines();
    await appendFile(log, 'one\nunfin');
    expect(await before.lines()).toEqual(['one']);
    const marks = await before.stop();
    await appendFile(log, 'ished\ntwo\n');
    const after = follow(marks);
    expect(await after.lines()).toEqual(['unfinished', 'two']);
    expect(await follow(after.marks()).lines()).toEqual([]);
  });

  test('finds after a restart what was rotated meanwhile, twice even, among hundreds of older files', async () => {
    for (let index = 0; index < 300; index += 1) {
      await writeFile(`${log}-2020.${String(index)}`, `old ${String(index)}\n`);
      await utimes(`${log}-2020.${String(index)}`, 400, 400);
    }
    await writeFile(log, '');
    const before = follow();
    await before.lines();
    await appendFile(log, 'one\n');
    await before.lines();
    const marks = await before.stop();
    await appendFile(log, 'two\n');
    await rename(log, `${log}.2`);
    await utimes(`${log}.2`, 1000, 1000);
    await writeFile(`${log}.1`, 'three\n');
    await utimes(`${log}.1`, 2000, 2000);
    await writeFile(`${log}.3`, 'older than all that\n');
    await utimes(`${log}.3`, 500, 500);
    await writeFile(log, 'four\n');
    const after = follow(marks);
    expect(await after.lines()).toEqual(['two', 'three', 'four']);
    expect(await follow(after.marks()).lines()).toEqual([]);
  });

  test('says so when what it was reading is gone, and reads the new file', async () => {
    await writeFile(log, 'x\n');
    const before = follow();
    await before.lines();
    await appendFile(log, 'one\n');
    await before.lines();
    const marks = await before.stop();
    await unlink(log);
    await writeFile(log, 'new\n');
    const after = follow(marks);
    expect(await after.lines()).toEqual(['new']);
    expect(after.recorder.lines).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('lines may be missing') }),
    ]);
  });
});
