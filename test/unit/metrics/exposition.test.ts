import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { exposition } from '../../../src/metrics/scrape.ts';

test('the text is the one that prom-client writes', async () => {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  new Gauge({ registers, name: 'without_labels', help: 'A "help" with \\ and\na line' }).set(-1.5e-9);
  const gauge = new Gauge({ registers, name: 'with_labels', help: 'Labels', labelNames: ['a', 'b'] });
  for (const [index, value] of [0, 1.5, Infinity, -Infinity, 1e21].entries())
    gauge.set({ a: `quote " back \\ line \n ${String(index)}`, b: index }, value);
  new Gauge({ registers, name: 'empty', help: 'No series', labelNames: ['a'] });
  new Counter({ registers, name: 'counted_total', help: 'Counter', labelNames: ['a'] }).inc({ a: 'ä' }, 3);
  const histogram = new Histogram({ registers, name: 'took', help: 'H', labelNames: ['a'], buckets: [0.05, 1] });
  for (let index = 0; index < 700; index += 1) histogram.observe({ a: String(index) }, index / 100);
  expect(await exposition(registry)).toBe(await registry.metrics());
  gauge.set({ a: 'x', b: 9 }, Number.NaN);
  // prom-client writes "Nan".
  expect(await exposition(registry)).toContain('with_labels{a="x",b="9"} NaN\n');
});

test('others have their turn while much is written', async () => {
  const registry = new Registry();
  const gauge = new Gauge({ registers: [registry], name: 'many', help: 'Many', labelNames: ['a'] });
  for (let index = 0; index < 10_000; index += 1) gauge.set({ a: String(index) }, index);
  let turns = 0;
  let isWriting = true;
  const count = (): void => {
    turns += 1;
    if (isWriting) setImmediate(count);
  };
  setImmediate(count);
  await exposition(registry);
  isWriting = false;
  expect(turns).toBeGreaterThanOrEqual(20);
});
