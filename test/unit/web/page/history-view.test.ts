import { describe, expect, test } from 'vitest';
import { historyView } from '../../../../src/web/page/history-view.ts';
import { toHtml } from '../../../../src/web/page/markup.ts';
import type { ChartData } from '../../../../src/web/chart-data.ts';
import { EMPTY_PAST } from '../../../support/web-sources.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const UNTIL = Date.UTC(2026, 10, 24, 12);

function render(more: Partial<ChartData>): string {
  return toHtml(historyView({ ...EMPTY_PAST, until: UNTIL, ...more }));
}

describe('historyView()', () => {
  test('says that nothing is known yet, without drawings', () => {
    const html = render({});
    expect(html.match(/Nothing is known yet/gu)).toHaveLength(3);
    expect(html).toContain('None in the last 7 days');
    expect(html).not.toContain('<svg');
  });

  test('tells the availability in words beside the drawing, and never rounds it up to 100 %', () => {
    const day = Date.UTC(2026, 10, 24);
    const html = render({
      days: [
        { day: day - DAY, share: 1 },
        { day, share: 0.9999 },
      ],
    });
    expect(html).toContain('aria-label="Availability by day: 99.99 % over 2 days, 1 day with an outage"');
    // From the first of 90 days to the end of today: the last but one bar stands at 88 of 90.
    expect(html).toContain(`M${String(Math.round((88 / 90) * 6_000) / 10)} 100v-96`);
  });

  test('draws a line for each phase, and leaves a gap where nothing answered', () => {
    const at = (hours: number): number => UNTIL - DAY + hours * HOUR;
    const points = [at(0), at(1), at(12), at(13)].map((when) => ({ at: when, value: 10 }));
    const html = render({
      latency: [
        { name: 'dns', points },
        { name: 'tls', points },
        { name: 'http', points: [] },
      ],
    });
    expect(html).toContain('d="M0 4h0L25 4M300 4h0L325 4"');
    expect(html).toContain('<li class="series-0">Name</li><li class="series-1">TLS</li>');
    expect(html).toContain('Name 10 ms, TLS 10 ms now; the last 24 hours');
  });

  test('draws as many points as fit, and cuts no drawing short', () => {
    const points = Array.from({ length: 90 * 24 }, (_, hour) => ({
      at: UNTIL - 90 * DAY + hour * HOUR,
      value: 2_160 - hour,
    }));
    const html = render({ tokens: [{ name: 'fac-1', points }] });
    const drawn = /class="line series-0" d="(?<path>[^"]*)"/u.exec(html)?.groups?.['path'] ?? '';
    expect(drawn.match(/[ML]/gu)).toHaveLength(360);
    expect(drawn).not.toContain('…');
    expect(html).toContain('1 at fac-1 now; the last 90 days');
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
});
