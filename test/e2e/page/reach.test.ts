import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import { diagnosisOfFault } from '../../support/checks/diagnosis-of-fault.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';

const MOST_BYTES = 60 * 1024;
const HOUR = 3_600_000;

describeWhere([{ program: 'chromium' }], 'whatever is on the pages', () => {
  let web: WebBench;
  let browser: Browser;

  beforeAll(async () => {
    const diagnosis = diagnosisOfFault('tls-intercepted');
    const hours = Array.from({ length: 168 }, (_, index) => START - (168 - index) * HOUR);
    const points = hours.map((at) => ({ at, value: Math.abs(Math.sin(at)) * 40 }));
    const { incidents } = timeline().rounds(2, diagnosis.causes).state;
    const { range, from } = { range: '7d', from: START - 168 * HOUR } as const;
    const rangeData = {
      range,
      from,
      until: START,
      latency: ['dns', 'tcp', 'tls', 'http'].map((name) => ({ name, points })),
      errors: [{ name: 'fac-1', points }],
      tokens: [{ name: 'fac-1', points }],
      days: hours.map((day) => ({ day, share: 1, knownMs: HOUR })),
      incidents: incidents.map(({ id, cause, since }) => ({
        id,
        cause: cause.id,
        subject: cause.subject,
        severity: cause.severity,
        from: since,
        until: null,
        lasted: null,
      })),
    };
    [web, browser] = await Promise.all([startWeb({ state: { diagnosis, incidents, rangeData } }), launchBrowser()]);
  });

  afterAll(async () => {
    await browser.close();
    await web[Symbol.asyncDispose]();
  });

  function home(): string {
    return `http://127.0.0.1:${String(web.port)}/`;
  }

  test('leads somewhere: every link is followed', async () => {
    await using opened = await openPage(browser, home(), { javaScriptEnabled: false });
    const seen = new Set([home()]);
    const dead: string[] = [];
    // Iterating over a set includes the elements that are added meanwhile.
    for (const url of seen) {
      const { isDead, links } = await follow(opened.page, url);
      if (isDead) dead.push(url);
      // The vendor's own links are not followed.
      for (const link of links) if (link.startsWith(home())) seen.add(link);
    }
    expect(dead).toEqual([]);
    expect([...seen].map((url) => new URL(url).pathname)).toEqual(
      expect.arrayContaining([
        '/incidents',
        `/incidents/${web.state.incidents[0]?.id ?? ''}`,
        '/runbooks/tls-intercepted',
        '/api/v1/incidents.csv',
        '/metrics',
      ]),
    );
  });

  test.each(['', 'incidents', 'an incident'])('is reached by the keyboard alone: /%s', async (path) => {
    const at = path === 'an incident' ? `incidents/${web.state.incidents[0]?.id ?? ''}` : path;
    await using opened = await openPage(browser, `${home()}${at}`);
    const { page } = opened;
    await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
    const all = await page.evaluate<number>(
      `[...document.querySelectorAll('a[href], button, summary, input, select, [tabindex="0"]')]
        .filter((element) => element.checkVisibility()).map((element, index) => { element.dataset.stop = index }).length`,
    );
    expect(all).toBeGreaterThan(5);
    const reached = new Set<string>();
    // A date field has one tab stop for each of its parts.
    for (let press = 0; press < all + 12; press += 1) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate<string>('document.activeElement.dataset.stop ?? ""'));
    }
    reached.delete('');
    expect(reached.size).toBe(all);
  });

  test('comes at first in less than 60 KB', async () => {
    await using opened = await openPage(browser, 'about:blank');
    const { page } = opened;
    const finished: Request[] = [];
    page.on('requestfinished', (request) => finished.push(request));
    await page.goto(home(), { waitUntil: 'load' });
    await page.locator('#live:not([hidden])').waitFor();
    const sizes = await Promise.all(finished.map((request) => request.sizes()));
    const bytes = sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
    expect(finished.length).toBeGreaterThan(5);
    expect(bytes).toBeGreaterThan(8_000);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });
});

interface Followed {
  readonly isDead: boolean;
  readonly links: readonly string[];
}

async function follow(page: Page, url: string): Promise<Followed> {
  const answer = await page.request.get(url);
  const isPage = (answer.headers()['content-type'] ?? '').startsWith('text/html');
  if (!answer.ok() || !isPage) return { isDead: !answer.ok(), links: [] };
  await page.goto(url);
  const { hash } = new URL(url);
  const isThere = hash === '' || (await page.locator(hash).count()) === 1;
  const links = await page.evaluate<string[]>(`[...document.querySelectorAll('a[href]')].map(({ href }) => href)`);
  return { isDead: !isThere, links };
}
