import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { createCharts } from '../../../src/runtime/charts.ts';
import { createAlertHistory } from '../../../src/runtime/incident-records.ts';
import { summaryFactsOf } from '../../../src/runtime/monitor.ts';
import { CHART_RANGES } from '../../../src/web/sources.ts';
import { renderStatusPage } from '../../../src/web/page/status-page.ts';
import { loadText } from '../../support/config/config-machine.ts';
import { zoneOf } from '../../../src/core/time-text.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { writeLongHistory } from '../../support/store/long-history.ts';
import { roundRecord } from '../../support/store/store-records.ts';
import { sourcesOf, webState } from '../../support/web/web-sources.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 24, 18, 10);
const TARGET = 'fortitokenmobile.fortinet.com:443';

const folder = folderOfAllTests();
let store: Store;
let config: Config;
const clock = handClock(NOW);

beforeAll(async () => {
  const path = folder.at('history.sqlite');
  const deps = { clock, logger: logRecorder() };
  writeLongHistory({ path, now: NOW, days: 90, target: TARGET, resolver: '10.0.0.53', appliance: 'fac-1' }, deps);
  store = createStore({ path, retention: 91 * DAY }, deps);
  const loaded = await loadText('{ resolvers: [10.0.0.53] }');
  if (loaded.kind === 'invalid') throw new Error('The configuration of the test is invalid');
  config = loaded.config;
});

afterAll(() => {
  store.close();
});

function source(): Parameters<typeof createCharts>[0] {
  return { store, config, knownFor: 600_000, alerting: { incidents: () => [] } };
}

describe('90 days of rounds each 30 s', () => {
  test.each(CHART_RANGES)('become a page of under 100 KB: %s', (range) => {
    const charts = createCharts(source(), clock);
    const past = { rangeData: charts.rangeData(range), lastDays: charts.lastDays() };
    const { body } = renderStatusPage(sourcesOf(webState({ diagnosis: diagnosisOf(NOW, []), ...past })), NOW, {
      range,
      mayChange: false,
    });
    expect(body).toMatch(/9\d\.\d+ % [^<]*\b\d+ days?\b/u);
    expect(body.length).toBeLessThan(100 * 1024);
  });

  test.each([
    ['24h', 144, 24],
    ['7d', 168, 168],
    ['30d', 120, 30],
    ['90d', 180, 90],
  ] as const)('come in spans that a chart has room for: %s', (range, means, spans) => {
    const { latency, days, from, until } = createCharts(source(), clock).rangeData(range);
    const [dns] = latency;
    expect(Math.abs((dns?.points.length ?? 0) - means)).toBeLessThan(8);
    expect(days).toHaveLength(spans);
    expect(days[0]?.day).toBe(from);
    // The mean over the sampled rounds is that over all rounds.
    expect(dns?.points.every(({ value }) => value > 4 && value < 14)).toBe(true);
    expect(until).toBe(NOW);
  });

  test('come as a mean for each 10 minutes, by the phases of the configured target', () => {
    const { latency, tokens, errors, days } = createCharts(source(), clock).chartData();
    expect(latency.map(({ name, points }) => [name, points.length])).toEqual([
      ['dns', 144],
      ['tcp', 144],
      ['tls', 144],
      ['http', 144],
    ]);
    expect(latency[2]?.points.every(({ at, value }) => at % (10 * 60 * SECOND) === 0 && value > 25 && value < 80)).toBe(
      true,
    );
    expect(tokens.map(({ name, points }) => [name, points.length, points.at(-1)?.value])).toEqual([
      ['fac-1', 90 * 24, 30],
    ]);
    expect(errors[0]?.points.map(({ value }) => value)).toEqual([1, 12, 31, 40, 9, 2]);
    expect(days).toHaveLength(90);
  });

  test('are not read again for each look at the page', () => {
    const charts = createCharts(source(), clock);
    const first = charts.chartData();
    expect(charts.chartData()).toBe(first);
    clock.advance(10 * SECOND);
    expect(charts.chartData()).not.toBe(first);
  });
});

test('what a clock that was far ahead has stored changes nothing, and nothing loops to its date', () => {
  const read = () => {
    const charts = createCharts(source(), clock);
    const now = clock.now();
    return [
      charts.chartData(),
      charts.availability(),
      ...CHART_RANGES.map((range) => charts.rangeData(range)),
      store.lastRound(now),
      createAlertHistory(source(), clock)().incidents,
      summaryFactsOf({ store, last: null }, null, { from: now - 7 * DAY, until: now }),
    ];
  };
  const before = read();
  const far = Date.UTC(9_999, 0);
  for (let minute = 0; minute < 3; minute += 1)
    store.recordRound({
      ...roundRecord(far + minute * 60 * SECOND, 'broken'),
      samples: ['tcp', 'tls', 'http'].map((probe) => ({ probe, target: TARGET, durationMs: 9, failure: null })),
      hourlyValues: [
        { name: 'ftm-errors', subject: 'fac-1', value: 100 },
        { name: 'tokens-left', subject: 'fac-1', value: 1 },
      ],
    });
  const { state } = timeline()
    .wait(far - START)
    .rounds(2, [causeOf('tls-intercepted')])
    .rounds(2, []);
  store.journal.record({ state, incidents: state.incidents, outboxEntries: [] });
  expect(state.incidents).toHaveLength(1);
  expect(read()).toEqual(before);
});

describe('the values of an hour', () => {
  test('add up errors, and keep the last count of tokens', () => {
    const at = NOW - 30 * DAY + 500;
    const hourlyValues = (errors: number, tokens: number) =>
      [
        { name: 'ftm-errors', subject: 'fac-9', value: errors },
        { name: 'tokens-left', subject: 'fac-9', value: tokens },
      ] as const;
    store.recordRound({ ...roundRecord(at), hourlyValues: hourlyValues(2, 30) });
    store.recordRound({ ...roundRecord(at + SECOND), hourlyValues: hourlyValues(3, 29) });
    store.recordRound({ ...roundRecord(at + HOUR), hourlyValues: hourlyValues(1, 28) });
    const of = (name: 'ftm-errors' | 'tokens-left') =>
      store
        .hourlyValues(name, { since: at - HOUR, until: NOW }, 6)
        .flatMap(({ subject, value }) => (subject === 'fac-9' ? [value] : []));
    expect(of('ftm-errors')).toEqual([5, 1]);
    expect(of('tokens-left')).toEqual([29, 28]);
  });
});

test('the last days of the site know whether there was a warning, from what rounds recorded', async () => {
  const days = createStore({ path: folder.at('days.sqlite'), retention: 91 * DAY }, { clock, logger: logRecorder() });
  const loaded = await loadText('{ timezone: Pacific/Auckland }');
  if (loaded.kind === 'invalid') throw new Error('The configuration of the test is invalid');
  const first = zoneOf('Pacific/Auckland').startOfDay(Math.floor(clock.now() / DAY) * DAY - 5 * DAY);
  const causes = [[], [causeOf('mail-slow', { severity: 'warning' })], [causeOf('tls-intercepted')]];
  for (const [index, ofDay] of causes.entries())
    for (const at of [0, 5, 10])
      days.recordRound({
        ...roundRecord(first + index * DAY + at * MINUTE),
        preconditions: diagnosisOf(first, ofDay).preconditions,
      });
  const charts = createCharts({ ...source(), store: days, config: loaded.config }, clock);
  const watched = charts.lastDays().filter(({ ready, notReady }) => ready + notReady > 0);
  expect(watched).toMatchObject([
    { from: first, hasWarning: false, notReady: 0 },
    { from: first + DAY, hasWarning: true, notReady: 0 },
    { from: first + 2 * DAY, hasWarning: false, ready: 0 },
  ]);
  days.close();
});
