import { describe, expect, test } from 'vitest';
import { historyView } from '../../../../src/web/page/history-view.ts';
import { readerAt } from '../../../../src/web/page/document.ts';
import { toHtml } from '../../../../src/document/html.ts';
import { CHART_WINDOWS, type RangeData } from '../../../../src/web/sources.ts';
import { EMPTY_PAST } from '../../../support/web/web-sources.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const UNTIL = Date.UTC(2026, 10, 24, 12);

function render(more: Partial<RangeData>, timezone = 'UTC'): string {
  const { range = '7d' } = more;
  const { back, span } = CHART_WINDOWS[range];
  const from = Math.floor(UNTIL / span) * span - back + span;
  return toHtml(
    historyView({ ...EMPTY_PAST, range, from, incidents: [], until: UNTIL, ...more }, readerAt(UNTIL, timezone)),
  );
}

describe('historyView()', () => {
  test('says that nothing is known yet, without drawings', () => {
    const html = render({});
    expect(html.match(/No data yet/gu)).toHaveLength(3);
    expect(html).toContain('None in the last 7 days');
    expect(html).not.toContain('<svg');
  });

  test('tells the availability in words beside the drawing, and never rounds it up to 100 %', () => {
    const day = Date.UTC(2026, 10, 24);
    const html = render({
      range: '90d',
      days: [
        { day: day - DAY, share: 1 },
        { day, share: 0.9999 },
      ],
    });
    expect(html).toContain('aria-label="Availability by day: 99.99 % over 2 days, 1 day with an outage"');
    // The chart ends with today and spans 90 days, so the second to last bar is at 88 of 90.
    expect(html).toContain(`M${String(Math.round((88 / 90) * 6_000) / 10)} 100v-96`);
    expect(html).toContain('<span class="top">99 to 100 %</span>');
    // A bar behind it shows the missing share of the day in the other colour.
    expect(html).toMatch(
      /class="bar series-4" d="M593\.3 100v-96h[^"]*"\/><path class="bar series-1" d="[^"]*M593\.3 100v-95h/u,
    );
  });

  test('draws a line for each phase, and leaves a gap where nothing answered', () => {
    const at = (hours: number): number => UNTIL - DAY + hours * HOUR;
    const points = [at(0), at(1), at(12), at(13)].map((when) => ({ at: when, value: 10 }));
    const html = render({
      range: '24h',
      from: UNTIL - DAY,
      latency: [
        { name: 'dns', points },
        { name: 'tls', points },
        { name: 'http', points: [] },
      ],
    });
    expect(html).toContain('d="M0 4h0L25 4M300 4h0L325 4"');
    expect(html).toContain('<li class="series-0">DNS</li><li class="series-1">TLS</li>');
    expect(html).toContain('DNS 10 ms, TLS 10 ms now; the last 24 hours');
  });

  test('draws as many points as fit, and cuts no drawing short', () => {
    const points = Array.from({ length: 90 * 24 }, (_, hour) => ({
      at: UNTIL - 90 * DAY + hour * HOUR,
      value: 2_160 - hour,
    }));
    const html = render({ range: '90d', tokens: [{ name: 'fac-1', points }] });
    const drawn = /class="line series-0" d="(?<path>[^"]*)"/u.exec(html)?.groups?.['path'] ?? '';
    expect(drawn.match(/[ML]/gu)).toHaveLength(360);
    expect(drawn).not.toContain('…');
    expect(html).toContain('1 at fac-1 now; the last 90 days');
  });

  test('draws the tokens of a day as one line', () => {
    const points = Array.from({ length: 24 }, (_, hour) => ({ at: UNTIL - DAY + hour * HOUR, value: 24 - hour }));
    const html = render({ range: '24h', from: UNTIL - DAY, tokens: [{ name: 'fac-1', points }] });
    const drawn = /class="line series-0" d="(?<path>[^"]*)"/u.exec(html)?.groups?.['path'] ?? '';
    expect(drawn.match(/[ML]/gu)?.join('')).toBe(`M${'L'.repeat(23)}`);
  });

  test('shows a name that is a script as text', () => {
    const html = render({
      errors: [
        { name: '<script>', points: [{ at: UNTIL - HOUR, value: 3 }] },
        { name: 'fac-2', points: [] },
      ],
    });
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('3 in the last 7 days');
  });

  test.each([
    [0.99, '95 to 100 %'],
    [0.83, '50 to 100 %'],
    [0.3, '0 to 100 %'],
    [1, '0 to 100 %'],
  ])('scales the availability so that an outage is seen: %d', (share, scale) => {
    const html = render({ range: '30d', days: [{ day: UNTIL - 2 * DAY, share }] });
    expect(html).toContain(`<span class="top">${scale}</span>`);
  });

  test('marks incidents, however short, and links them', () => {
    const incident = { id: 'i-1', cause: 'tls-blocked', subject: '<b>', severity: 'critical' } as const;
    const html = render({
      range: '90d',
      incidents: [{ ...incident, from: UNTIL - DAY, until: UNTIL - DAY + 60_000, lasted: 'about 1 min' }],
      tokens: [{ name: 'fac-1', points: [{ at: UNTIL - HOUR, value: 3 }] }],
    });
    expect(html).toMatch(/<path class="mark" d="M\d+(?:\.\d)? 0h1\.5v100H/u);
    expect(html).toContain('<a href="incidents/i-1">tls-blocked</a>');
    expect(html).toContain('for about 1 min');
    expect(html).not.toContain('<b>');
  });

  test('has the same as a table, for who does not see charts', () => {
    const html = render({
      range: '24h',
      days: [{ day: UNTIL - HOUR, share: 0.5 }],
      errors: [{ name: 'fac-1', points: [{ at: UNTIL - HOUR, value: 3 }] }],
    });
    const rows = [...html.matchAll(/<tr><th scope="row">.*?<\/tr>/gu)].map(([row]) => row);
    expect(rows).toHaveLength(12);
    expect(rows.join('')).toContain('<td>50 %</td><td>3</td><td>unknown</td>');
  });

  test('says that a day is one of UTC where the times are of another zone', () => {
    const days = [{ day: UNTIL - 2 * DAY, share: 1 }];
    expect(render({ range: '30d', days }, 'Europe/Berlin')).toContain('<strong>Availability by day (UTC)</strong>');
    expect(render({ range: '30d', days })).toContain('<strong>Availability by day</strong>');
    expect(render({ range: '7d', days }, 'Europe/Berlin')).toContain('<strong>Availability by hour</strong>');
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
