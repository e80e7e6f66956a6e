import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readProcessFigures } from '../../../src/system/process-facts.ts';

test('the figures of this process are those that the system has', async () => {
  const { heapUsed, rss } = process.memoryUsage();
  const figures = await readProcessFigures();
  expect(figures.residentBytes / rss).toBeCloseTo(1, 0);
  expect(figures.heapUsedBytes / heapUsed).toBeCloseTo(1, 0);
  expect(figures.heapTotalBytes).toBeGreaterThan(figures.heapUsedBytes);
});

test('time of the processor only grows', async () => {
  const before = await readProcessFigures();
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 60_000);
  const { cpuSeconds } = await readProcessFigures();
  expect(cpuSeconds - before.cpuSeconds).toBeGreaterThan(0.02);
});

test.runIf(process.platform === 'linux')('Linux tells of files and of virtual memory', async () => {
  const before = await readProcessFigures();
  const files = await Promise.all(Array.from({ length: 50 }, () => open('/dev/null')));
  const after = await readProcessFigures();
  await Promise.all(files.map((file) => file.close()));
  // Other files that the process had open may have been closed.
  expect((after.openFiles ?? 0) - (before.openFiles ?? 0)).toBeGreaterThan(40);
  expect(after.mostFiles).toBeGreaterThan(after.openFiles ?? Number.POSITIVE_INFINITY);
  expect(after.virtualBytes).toBeGreaterThan(after.residentBytes);
});
