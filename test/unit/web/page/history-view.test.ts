import { describe, expect, test } from 'vitest';
import { chartsOf, columns } from '../../../../src/web/static/charts.js';
import { historyView } from '../../../../src/web/page/history-view.ts';
import { ninetyDays } from '../../../../src/web/page/ninety-days.ts';
import type { AvailabilityDay } from '../../../../src/engine/availability.ts';
import { readerAt } from '../../../../src/web/page/page-document.ts';
import { toHtml } from '../../../../src/document/html.ts';
import { CHART_WINDOWS, type RangeData } from '../../../../src/web/sources.ts';
import { EMPTY_PAST } from '../../../support/web/web-sources.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const UNTIL = Date.UTC(2026, 10, 24, 12);

function render(more: Partial<RangeData>): string {
  const { range = '7d' } = more;
  const { back, span } = CHART_WINDOWS[range];
  const from = Math.floor(UNTIL / span) * span - back + span;
  return toHtml(
    historyView({ ...EMPTY_PAST, range, from, incidents: [], until: UNTIL, ...more }, readerAt(UNTIL, 'UTC'), null),
  );
}

describe('historyView()', () => {
  test('has no drawings while nothing is known', () => {
    expect(render({})).not.toContain('class="plot"');
  });

  test('names each phase that answered', () => {
    const points = [{ at: UNTIL - HOUR, value: 10 }];
    const latency = ['dns', 'tls', 'http'].map((name) => ({ name, points: name === 'http' ? [] : points }));
    const html = render({ range: '24h', from: UNTIL - DAY, latency });
    expect([...html.matchAll(/<li class="(series-\d)">(\w+)/gu)].map(([, ...parts]) => parts)).toEqual([
      ['series-0', 'DNS'],
      ['series-1', 'TLS'],
    ]);
  });

  test('links incidents, however short, and shows what strangers wrote as text', () => {
    const incident = { id: 'i-1', cause: 'tls-blocked', subject: '<b>', severity: 'critical' } as const;
    const html = render({
      range: '90d',
      incidents: [{ ...incident, from: UNTIL - DAY, until: UNTIL - DAY + 60_000, lasted: 'about 1 min' }],
      errors: ['<script>', 'fac-2'].map((name) => ({ name, points: [{ at: UNTIL - HOUR, value: 3 }] })),
    });
    expect(html).toContain('<a href="incidents/i-1">tls-blocked</a>');
    expect(html).toContain('about 1 min');
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/<script|<b>/u);
  });

  test('has the same as a table, for who does not see charts', () => {
    const html = render({
      range: '24h',
      days: [
        { day: UNTIL - HOUR, share: 0.5, knownMs: HOUR },
        { day: UNTIL, share: 1, knownMs: HOUR / 2 },
      ],
      errors: [{ name: 'fac-1', points: [{ at: UNTIL - HOUR, value: 3 }] }],
    });
    const rows = [...html.matchAll(/<tr><th scope="row">.*?<\/tr>/gu)].map(([row]) => row);
    expect(rows).toHaveLength(12);
    expect(rows.join('')).toContain('<td>66.66 %</td><td>1 h 30 min</td><td>3</td><td>unknown</td>');
  });

  test('offers each range, and says which one it is', () => {
    const html = render({ range: '30d' });
    expect([...html.matchAll(/href="\?range=(\w+)#history"( aria-current)?/gu)].map(([, ...parts]) => parts)).toEqual([
      ['24h', undefined],
      ['7d', undefined],
      ['30d', ' aria-current'],
      ['90d', undefined],
    ]);
  });
});

describe('ninetyDays()', () => {
  const day = (
    name: string,
    hours: Partial<Record<'ready' | 'notReady' | 'unknown', number>>,
    hasWarning = false,
  ): AvailabilityDay => {
    const [ready = 0, notReady = 0, unknown = 0] = [hours.ready, hours.notReady, hours.unknown].map(
      (count = 0) => count * HOUR,
    );
    return { name, from: Date.parse(name), until: Date.parse(name) + DAY, ready, notReady, unknown, hasWarning };
  };

  test('tells the days apart, links each to its incidents, and lists those that matter', () => {
    const html = toHtml(
      ninetyDays([
        day('2026-11-30', { unknown: 24 }),
        day('2026-12-01', { ready: 23.5, unknown: 0.5 }),
        day('2026-12-02', { ready: 15, unknown: 9 }),
        day('2026-12-03', { ready: 1, unknown: 22, notReady: 1 }, true),
        day('2026-12-04', { ready: 24 }, true),
      ]),
    );
    const cells = [...html.matchAll(/<a class="(\w+)" href="[^"]*from=(\S+?)&amp;until=\2" title="([^"]*)"/gu)];
    expect(cells.map(([, tone, , title]) => [tone, title])).toEqual([
      ['none', '30 Nov: not watched'],
      ['good', '1 Dec: works'],
      ['unsure', '2 Dec: unknown for 9 h'],
      ['bad', '3 Dec: outage, 1 h'],
      ['warn', expect.stringContaining('4 Dec')],
    ]);
    expect([...html.matchAll(/data-month="(\w+)"/gu)].map(([, month]) => month)).toEqual(['Dec']);
    expect([...html.matchAll(/<li>.*?<a href="[^"]*">([^:]*):/gu)].map(([, date]) => date)).toEqual([
      '4 Dec',
      '3 Dec',
      '2 Dec',
    ]);
  });

  test.each([[[]], [[day('2026-11-23', {}), day('2026-11-24', { unknown: 14 })]]])(
    'has no cells and no key before anything is known',
    (days) => {
      expect(toHtml(ninetyDays(days))).not.toMatch(/<a |class="key"| 0 /u);
    },
  );

  test('never rounds the availability up to 100 %', () => {
    const html = toHtml(
      ninetyDays([day('2026-11-23', { ready: 24 }), day('2026-11-24', { ready: 1, notReady: 0.001 })]),
    );
    expect(html).toContain('99.99 %');
  });
});

describe('chartsOf()', () => {
  function chartOf(id: string, past: Partial<RangeData>, span: number) {
    const charts = chartsOf({ ...EMPTY_PAST, from: UNTIL - 90 * DAY, ...past }, { until: UNTIL, span });
    const chart = charts.find((one) => one.id === id);
    if (chart === undefined) throw new Error(`There is no chart ${id}`);
    return chart;
  }

  test('has as many points as fit', () => {
    const points = Array.from({ length: 90 * 24 }, (_, hour) => ({ at: UNTIL - 90 * DAY + hour * HOUR, value: hour }));
    const tokens = [{ name: 'fac-1', points }];
    expect(chartOf('tokens', { tokens }, DAY).lines[0]?.points).toHaveLength(360);
    expect(chartOf('tokens', { tokens }, HOUR).lines[0]?.points).toEqual(points);
  });

  test('has a gap where a line has no points for more than a 24th of the range, and shares its times', () => {
    const at = (hours: number): number => UNTIL - hours * HOUR;
    const named = (name: string, hours: readonly number[]) => ({
      name,
      points: hours.map((before) => ({ at: at(before), value: before })),
    });
    const from = UNTIL - 7 * DAY;
    const latency = [named('dns', [20, 13, 5, 4]), named('tls', [13])];
    const [times, dns, tls] = columns(chartOf('latency', { from, latency }, HOUR));
    const seconds = (ms: number): number => ms / 1_000;
    expect(times).toEqual([at(20), at(13), at(13) + 1, at(5), at(4)].map(seconds));
    expect(dns).toEqual([20, 13, null, 5, 4]);
    expect(tls).toEqual([undefined, 13, undefined, undefined, undefined]);
  });
});
