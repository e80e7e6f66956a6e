import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RangeData } from '../../../src/web/sources.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { launchBrowser, openPage, type OpenPage } from '../../support/web/browser.ts';
import { diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';

const HOUR = 3_600_000;
const UNTIL = Date.UTC(2026, 10, 24, 12);
const FROM = UNTIL - 168 * HOUR;
const hours = Array.from({ length: 168 }, (_, index) => FROM + index * HOUR);
const PAST: RangeData = {
  range: '7d',
  from: FROM,
  until: UNTIL,
  latency: [{ name: 'tls', points: hours.map((at) => ({ at, value: 40 })) }],
  errors: [{ name: 'fac-1', points: [{ at: UNTIL - 9 * HOUR, value: 7 }] }],
  tokens: [{ name: 'fac-1', points: hours.map((at) => ({ at, value: 30 })) }],
  days: hours.map((day, index) => ({ day, share: index === 100 ? 0.98 : 1, knownMs: HOUR })),
  incidents: [
    {
      id: 'i-1',
      cause: 'tls-blocked',
      subject: 'a:443',
      severity: 'critical',
      from: FROM + 100 * HOUR,
      until: FROM + 101 * HOUR,
      lasted: 'about 1 h',
    },
  ],
};

describeWhere([{ program: 'chromium' }], 'the charts of the status page', () => {
  let web: WebBench;
  let browser: Browser;

  beforeAll(async () => {
    const state = { rangeData: PAST, diagnosis: diagnosisOf(UNTIL, []) };
    [web, browser] = await Promise.all([startWeb({ state }), launchBrowser()]);
  });

  afterAll(async () => {
    await browser.close();
    await web[Symbol.asyncDispose]();
  });

  async function openDrawn(): Promise<OpenPage> {
    const opened = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, {
      viewport: { width: 390, height: 844 },
    });
    await opened.page.locator('#chart-latency').scrollIntoViewIfNeeded();
    await opened.page.locator('.plot.drawn').nth(2).waitFor();
    return opened;
  }

  test('stay while the window is resized, and ask for nothing', async () => {
    await using opened = await openDrawn();
    const { page, requests } = opened;
    const asked = (): number => requests.filter((url) => url.includes('api/v1/history')).length;
    const before = asked();
    expect(before).toBe(1);
    await page.evaluate('document.querySelectorAll("canvas").forEach((canvas) => { canvas.dataset.same = "yes" })');

    // On a phone, the address bar appears and disappears.
    const [top, height] = [await page.evaluate('scrollY'), await heightOf(page)];
    await page.setViewportSize({ width: 390, height: 780 });
    expect([await page.evaluate('scrollY'), await heightOf(page)]).toEqual([top, height]);
    for (let width = 390; width < 790; width += 10) await page.setViewportSize({ width, height: 844 });

    await expect.poll(() => widthsOf(page)).toEqual([true, true, true]);
    expect(await page.locator('canvas[data-same]').count()).toBe(3);
    expect(asked()).toBe(before);
    expect(opened.complaints).toEqual([]);
  });

  test('say what they show in units, without placeholders, and what is pointed at', async () => {
    await using opened = await openDrawn();
    const { page } = opened;
    const readings = page.locator('.reading');
    expect(await readings.allInnerTexts()).toEqual([
      '2026-11-24 11:00 UTC: TLS 40 ms',
      '2026-11-24 03:30 UTC: fac-1 7 errors',
      '2026-11-24 11:00 UTC: fac-1 30 tokens',
    ]);
    const box = await page.locator('#chart-latency .u-over').boundingBox();
    if (box === null) throw new Error('The chart has no place');
    await page.mouse.move(box.x + (box.width * 100.1) / 168, box.y + box.height / 2);
    await page.getByText('2026-11-21 16:00 UTC: TLS 40 ms').waitFor();
    expect(await page.locator('.history').innerText()).not.toMatch(/--|NaN|undefined/u);
  });

  test('tell the time of the site, wherever the browser is, and of another site as soon as the page does', async () => {
    web.state.timezone = 'Europe/Berlin';
    await using opened = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, {
      timezoneId: 'America/New_York',
    });
    const { page } = opened;
    await page.locator('#chart-latency').scrollIntoViewIfNeeded();
    await page.getByText('2026-11-24 12:00 +01:00: TLS 40 ms').waitFor();
    await page.getByText('2026-11-24 04:30 +01:00: fac-1 7 errors').waitFor();

    web.state.timezone = 'Asia/Kathmandu';
    web.state.diagnosis = diagnosisOf(UNTIL + 30_000, []);
    await page.getByText('2026-11-24 16:45 +05:45: TLS 40 ms').waitFor();
    web.state.timezone = 'UTC';
    web.state.diagnosis = diagnosisOf(UNTIL, []);
    await page.getByText('2026-11-24 11:00 UTC: TLS 40 ms').waitFor();
    expect(opened.complaints).toEqual([]);
  });

  test('keep their place in the page when they are drawn, and take the colours of a new scheme', async () => {
    await using opened = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, {
      viewport: { width: 1440, height: 900 },
    });
    const { page } = opened;
    const before = await heightOf(page);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.locator('.plot.drawn').nth(2).waitFor();
    expect(Math.abs((await heightOf(page)) - before)).toBeLessThanOrEqual(16);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('canvas').nth(2).waitFor();
    expect(seriousOf(await audit(page))).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  test('say that they could not be loaded, and leave no empty place on paper', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/static/uplot.js', (route) => route.abort());
    await page.goto(`http://127.0.0.1:${String(web.port)}/`);
    await page.locator('#chart-latency').scrollIntoViewIfNeeded();
    await page.getByText('This chart could not be loaded. The table contains its values.').nth(2).waitFor();
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.plot').nth(0).isVisible()).toBe(false);
    await context.close();
  });

  test('are drawn as soon as a round brings their first data', async () => {
    web.state.rangeData = { ...PAST, tokens: [] };
    await using opened = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
    const { page } = opened;
    await page.locator('#chart-latency').scrollIntoViewIfNeeded();
    await page.locator('.plot.drawn').nth(1).waitFor();
    expect(await page.locator('#chart-tokens .plot').count()).toBe(0);
    web.state.rangeData = PAST;
    web.state.diagnosis = diagnosisOf(UNTIL + 30_000, []);
    await page.locator('#chart-tokens .plot.drawn').waitFor({ timeout: 10_000 });
    expect(opened.complaints).toEqual([]);
  });

  test('are of the range that was chosen, with and without JavaScript', async () => {
    for (const javaScriptEnabled of [true, false]) {
      await using opened = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, { javaScriptEnabled });
      const { page, requests } = opened;
      await page.getByRole('link', { name: '30 days' }).click();
      await page.locator('.ranges [aria-current]', { hasText: '30 days' }).waitFor();
      expect(new URL(page.url()).search).toBe('?range=30d');
      expect(await page.locator('.marked a').getAttribute('href')).toBe('incidents/i-1');
      await page.locator('#history-table > summary').click();
      expect(await page.locator('#history-table tbody tr').count()).toBe(15);
      if (!javaScriptEnabled) continue;
      await page.locator('.plot.drawn').nth(2).waitFor();
      expect(requests.filter((url) => url.endsWith('api/v1/history?range=30d'))).toHaveLength(1);
      // A new round keeps the range.
      const seen = String(await page.locator('#seen time').getAttribute('datetime'));
      web.state.diagnosis = diagnosisOf(UNTIL + 60_000, []);
      await page.locator(`#seen time:not([datetime="${seen}"])`).waitFor();
      expect(await page.locator('.ranges [aria-current]').innerText()).toBe('30 days');
    }
  });
});

function heightOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollHeight');
}

/** Reports for each chart whether it fills the width of its container. */
function widthsOf(page: Page): Promise<readonly boolean[]> {
  return page.evaluate(
    `[...document.querySelectorAll('.plot.drawn')].map((plot) =>
      Math.abs(plot.querySelector('canvas').getBoundingClientRect().width - plot.clientWidth) <= 1)`,
  );
}
