import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';

import { renderMetrics, type Readable } from '../../../src/metrics/exposition.ts';
import { parseExposition } from '../../support/exposition.ts';

let registry: Registry;
let registers: Registry[];

beforeEach(() => {
  registry = new Registry();
  registers = [registry];
});

describe('renderMetrics()', () => {
  test('writes what prom-client writes', async () => {
    const gauge = new Gauge({
      registers,
      name: 'some_gauge',
      help: 'A \\ and\na second line',
      labelNames: ['target', 'other'],
    });
    gauge.set({ target: 'a "quoted" \\ text\nand a line', other: '' }, -0.25);
    gauge.set({ target: 'server.test:443', other: 'x' }, Number.POSITIVE_INFINITY);
    const plain = new Gauge({ registers, name: 'plain_gauge', help: 'Plain' });
    plain.set(1e21);
    const counter = new Counter({ registers, name: 'some_total', help: 'Some', labelNames: ['target'] });
    counter.inc({ target: 'server.test:443' }, 3);
    const histogram = new Histogram({
      registers,
      name: 'some_seconds',
      help: 'Some',
      labelNames: ['target'],
      buckets: [0.1, 1],
    });
    histogram.observe({ target: 'server.test:443' }, 0.5);
    const empty = new Gauge({ registers, name: 'empty_gauge', help: 'Nothing yet', labelNames: ['target'] });
    const ours = await renderMetrics([gauge, plain, counter, histogram, empty]);
    const sorted = (text: string): readonly unknown[] =>
      parseExposition(text)
        .map((series) => JSON.stringify(series))
        .toSorted();
    const theirs = await registry.metrics();
    expect(sorted(ours)).toEqual(sorted(theirs));
    const comments = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('#'));
    expect(comments(ours)).toEqual(comments(theirs));
    expect(ours.endsWith('\n')).toBe(true);
  });

  test('writes what is no number as Prometheus spells it', async () => {
    const gauge = new Gauge({ registers, name: 'some_gauge', help: 'Some' });
    gauge.set(Number.NaN);
    expect(await renderMetrics([gauge])).toContain('some_gauge NaN\n');
  });

  test('lets other work in between the lines of a large metric', async () => {
    const gauge = new Gauge({ registers, name: 'large', help: 'Large', labelNames: ['target'] });
    for (let index = 0; index < 20_000; index += 1) gauge.set({ target: String(index) }, index);
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const text = await renderMetrics([gauge] satisfies readonly Readable[]);
    isDone = true;
    expect(parseExposition(text)).toHaveLength(20_000);
    expect(turns).toBeGreaterThanOrEqual(9);
  });
});
