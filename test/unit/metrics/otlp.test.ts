import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { encodeMetrics } from '../../../src/metrics/otlp.ts';
import { decodeRequest } from '../../support/monitoring/otlp-message.ts';

const START = 1_795_000_000_000;
const NOW = START + 61_500;
const TIMES = { startTimeUnixNano: [START * 1e6], timeUnixNano: [NOW * 1e6] };

const attribute = (key: string, value: string): object => ({ key: [key], value: [{ stringValue: [value] }] });

/** Returns a registry's metrics as a collector reads them. */
async function pushed(registry: Registry, target = {}): Promise<readonly unknown[]> {
  const bytes = await encodeMetrics({ registry, startedAt: START }, NOW, target);
  const [resourceMetrics] = decodeRequest(bytes)['resourceMetrics'] ?? [];
  expect(resourceMetrics).toMatchObject({ scopeMetrics: [expect.anything()] });
  return (resourceMetrics as { scopeMetrics: [{ metrics?: readonly unknown[] }] }).scopeMetrics[0].metrics ?? [];
}

test('a gauge is a gauge, also at zero and below', async () => {
  const registry = new Registry();
  const gauge = new Gauge({ registers: [registry], name: 'g_seconds', help: 'Ein Maß', labelNames: ['a', 'b'] });
  gauge.set({ a: 'x', b: 1 }, 0);
  gauge.set({ a: 'Ä "quoted"\n' }, -1.5e-9);
  expect(await pushed(registry)).toEqual([
    {
      name: ['g_seconds'],
      description: ['Ein Maß'],
      gauge: [
        {
          dataPoints: [
            { ...TIMES, attributes: [attribute('a', 'x'), attribute('b', '1')], asDouble: [0] },
            { ...TIMES, attributes: [attribute('a', 'Ä "quoted"\n')], asDouble: [-1.5e-9] },
          ],
        },
      ],
    },
  ]);
});

test('a counter is a cumulative monotonic sum since the start of the process', async () => {
  const registry = new Registry();
  new Counter({ registers: [registry], name: 'c_total', help: 'C' }).inc(300);
  expect(await pushed(registry)).toEqual([
    {
      name: ['c_total'],
      description: ['C'],
      sum: [{ dataPoints: [{ ...TIMES, asDouble: [300] }], aggregationTemporality: [2], isMonotonic: [1] }],
    },
  ]);
});

test('a histogram has the counts between its bounds, and those beyond the last', async () => {
  const registry = new Registry();
  const histogram = new Histogram({
    registers: [registry],
    name: 'h_seconds',
    help: 'H',
    labelNames: ['a'],
    buckets: [0.05, 1, 5],
  });
  for (const value of [0.05, 0.5, 0.6, 7, 8, 9]) histogram.observe({ a: 'x' }, value);
  histogram.zero({ a: 'y' });
  const bounds = { explicitBounds: [[0.05, 1, 5]] };
  expect(await pushed(registry)).toEqual([
    {
      name: ['h_seconds'],
      description: ['H'],
      histogram: [
        {
          dataPoints: [
            {
              ...TIMES,
              attributes: [attribute('a', 'x')],
              count: [6],
              sum: [25.15],
              bucketCounts: [[1, 2, 0, 3]],
              ...bounds,
            },
            {
              ...TIMES,
              attributes: [attribute('a', 'y')],
              count: [0],
              sum: [0],
              bucketCounts: [[0, 0, 0, 0]],
              ...bounds,
            },
          ],
          aggregationTemporality: [2],
        },
      ],
    },
  ]);
});

test('a metric without a sample is left out, and the attributes of the target are there once', async () => {
  const registry = new Registry();
  new Gauge({ registers: [registry], name: 'empty', help: 'No series', labelNames: ['a'] });
  expect(await pushed(registry)).toEqual([]);
  const bytes = await encodeMetrics({ registry, startedAt: START }, NOW, { 'service.name': 'ftm-watch', site: 'hq' });
  expect(decodeRequest(bytes)).toMatchObject({
    resourceMetrics: [
      { resource: [{ attributes: [attribute('service.name', 'ftm-watch'), attribute('site', 'hq')] }] },
    ],
  });
});

test('any text and any number arrive', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.double(), async (label, value) => {
      const registry = new Registry();
      new Gauge({ registers: [registry], name: 'any', help: 'H', labelNames: ['a'] }).set({ a: label }, value);
      expect(await pushed(registry)).toEqual([
        expect.objectContaining({
          gauge: [
            { dataPoints: [{ ...TIMES, attributes: [attribute('a', label.toWellFormed())], asDouble: [value] }] },
          ],
        }),
      ]);
    }),
  );
});

test('others have their turn while much is written', async () => {
  const registry = new Registry();
  const gauge = new Gauge({ registers: [registry], name: 'many', help: 'Many', labelNames: ['a'] });
  for (let index = 0; index < 10_000; index += 1) gauge.set({ a: String(index) }, index);
  let [turns, isWriting] = [0, true];
  const count = (): void => {
    turns += 1;
    if (isWriting) setImmediate(count);
  };
  setImmediate(count);
  expect(await pushed(registry)).toHaveLength(1);
  isWriting = false;
  expect(turns).toBeGreaterThanOrEqual(20);
});
