import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { parseExposition, type Series } from '../../support/monitoring/exposition.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startAgent } from '../../support/monitoring/pushing-agent.ts';
import { startVictoriaMetrics } from '../../support/monitoring/victoria-metrics.ts';

const PATIENCE = { timeout: 60_000, interval: 200 };
const PROGRAMS = [{ program: 'victoria-metrics' }];
/** The target labels, which a scrape adds as well. */
const OF_TARGET: readonly string[] = ['job', 'instance', 'site', 'service.name', 'service.instance.id'];
/** Gauges that change because pushing needs files and memory. */
const OWN_GAUGES = /^\["(?:process_open_fds|\w+_bytes)"/u;

interface Stored {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

async function storedIn(store: string): Promise<readonly Stored[]> {
  const query = new URLSearchParams({ 'match[]': '{__name__!=""}' });
  const text = await (await fetch(`${store}/api/v1/export?${query.toString()}`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Stored);
}

/** Maps each series, by name and labels, to its current value. */
function valuesOf(series: readonly Series[]): ReadonlyMap<string, number> {
  return new Map(
    series.map(({ name, labels, value }) => [
      JSON.stringify([name, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
      value,
    ]),
  );
}

/** Compares approximately, because the store rounds values with many digits. */
function isSame(value: number | undefined, expected: number): boolean {
  return value !== undefined && Math.abs(value - expected) <= Math.abs(expected) * 1e-9;
}

function seriesAt(stored: readonly Stored[], at: number): readonly Series[] {
  return stored.flatMap(({ metric: { __name__: name = '', ...labels }, values, timestamps }) => {
    const value = values[timestamps.indexOf(at)];
    const own = Object.entries(labels).filter(([label]) => !OF_TARGET.includes(label));
    return value === undefined ? [] : [{ name, labels: Object.fromEntries(own), value }];
  });
}

describeWhere(PROGRAMS, 'metrics that are pushed by OTLP', () => {
  it('arrive in VictoriaMetrics as /metrics has them', { timeout: 180_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-otlp-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    const store = stack.use(await startVictoriaMetrics(folder));
    const lab = stack.use(await createLab());
    const otlp = { url: `${store.url}/opentelemetry/v1/metrics`, every: '1s' };
    const agent = stack.use(await startAgent(lab, 'agent', [], { site: 'lab', metrics: { otlp } }));
    const scrape = async (): Promise<readonly Series[]> => parseExposition(await (await agent.get('/metrics')).text());
    await expect
      .poll(async () => (await scrape()).find(({ name }) => name === 'ftm_activation_ready')?.value, PATIENCE)
      .toBe(1);

    const before = valuesOf(await scrape());
    const scrapedAt = Date.now();
    const pushedAfter = async (): Promise<number> =>
      Math.min(...(await storedIn(store.url)).flatMap(({ timestamps }) => timestamps.filter((at) => at > scrapedAt)));
    await expect.poll(pushedAfter, PATIENCE).toBeLessThan(Number.POSITIVE_INFINITY);
    const pushedAt = await pushedAfter();
    const after = valuesOf(await scrape());
    // A new series may be readable only a second later.
    let pushed: ReadonlyMap<string, number> = new Map();
    const always = [...before.keys()].filter((key) => after.has(key));
    await expect
      .poll(async () => {
        pushed = valuesOf(seriesAt(await storedIn(store.url), pushedAt));
        return {
          missing: always.filter((key) => !pushed.has(key)),
          unknown: [...pushed.keys()].filter((key) => !after.has(key)),
        };
      }, PATIENCE)
      .toEqual({ missing: [], unknown: [] });
    expect(pushed.size).toBeGreaterThan(400);

    // Values that did not change around the push arrived unchanged. Values that increased are in between.
    const still = [...before].filter(([key, value]) => after.get(key) === value && !OWN_GAUGES.test(key));
    expect(still.length).toBeGreaterThan(300);
    expect(still.filter(([key, value]) => !isSame(pushed.get(key), value))).toEqual([]);
    const counts = [...after].filter(([key]) => /^\["\w+_(?:total|bucket|count|sum)"/u.test(key));
    const isBetween = ([key, most]: readonly [string, number]): boolean => {
      const [least, value] = [before.get(key) ?? 0, pushed.get(key) ?? Number.NaN];
      return isSame(value, least) || isSame(value, most) || (least < value && value < most);
    };
    expect(counts.length).toBeGreaterThan(100);
    expect(counts.filter((each) => pushed.has(each[0]) && !isBetween(each))).toEqual([]);

    const [{ metric } = { metric: {} }] = await storedIn(store.url);
    expect(metric).toMatchObject({ job: 'ftm-watch', instance: expect.stringMatching(/./u), site: 'lab' });
  });
});
