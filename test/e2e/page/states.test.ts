import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAULT_IDS } from '../../../src/checks/registry.ts';
import { groupHeadline } from '../../../src/checks/verdict-words.ts';
import type { AvailabilityDay } from '../../../src/engine/availability.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { diagnosisOfFault } from '../../support/checks/diagnosis-of-fault.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { audit } from '../../support/web/audit.ts';
import { launchBrowser, openPage, type OpenPage } from '../../support/web/browser.ts';
import { PAGE_STATES } from '../../support/web/page-states.ts';
import { NOW } from '../../support/web/rendered-page.ts';
import { ACCOUNT_LOGIN, startWeb, type WebBench } from '../../support/web/web-bench.ts';
import { DAY, HOUR } from '../../support/time/units.ts';
import { webState } from '../../support/web/web-sources.ts';

const NAMES = Object.keys(PAGE_STATES) as readonly (keyof typeof PAGE_STATES)[];
/** The narrowest phone, and a site with a name of 22 letters in a zone with a long name. */
const NARROW = { viewport: { width: 360, height: 780 }, isMobile: true } as const;
const LONG_NAME = { site: 'Landesrechenzentrum-Ost', timezone: 'Europe/Berlin' };

/** Days of each kind. */
const DAYS: Readonly<Record<number, Partial<AvailabilityDay>>> = {
  3: { hasWarning: true },
  4: { notReady: HOUR },
  5: { unknown: 2 * HOUR },
  6: { ready: 0, unknown: DAY },
};

describeWhere([{ program: 'chromium' }], 'the status page in every state', () => {
  let web: WebBench;
  let browser: Browser;

  beforeAll(async () => {
    const clock = { ...systemClock, now: () => NOW };
    [web, browser] = await Promise.all([startWeb({ clock, account: 'ada' }), launchBrowser()]);
  });

  afterAll(async () => {
    await browser.close();
    await web[Symbol.asyncDispose]();
  });

  function open(
    name: keyof typeof PAGE_STATES,
    options: BrowserContextOptions = {},
    more: object = {},
  ): Promise<OpenPage> {
    Object.assign(web.state, webState({ ...PAGE_STATES[name], ...more }));
    return openPage(browser, `http://127.0.0.1:${String(web.port)}/`, { extraHTTPHeaders: ACCOUNT_LOGIN, ...options });
  }

  test.each(NAMES)('has no violation: %s', async (name) => {
    await using opened = await open(name, { colorScheme: 'dark' });
    expect(await violations(opened.page)).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  test.each(NAMES)('fits a narrow phone with a long name: %s', async (name) => {
    await using opened = await open(name, NARROW, LONG_NAME);
    const { page } = opened;
    await unfold(page);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    // The name of the site is not broken into letters.
    expect((await page.locator('.site').boundingBox())?.height).toBeLessThan(60);
    expect(await violations(page)).toEqual([]);
  });

  test.each([true, false])('opens the steps by their link, JavaScript: %s', async (javaScriptEnabled) => {
    await using opened = await open('one fault', { javaScriptEnabled });
    const { page } = opened;
    expect(await page.locator('#steps').isVisible()).toBe(false);
    await page.locator('.outlook a').click();
    await page.locator('#steps').waitFor();
    expect(await page.locator('#steps > li').count()).toBe(9);
    expect(await page.evaluate('getComputedStyle(document.getElementById("steps")).listStyleType')).toBe('decimal');
  });

  test('opens a folded card by the link in the verdict, and keeps its headline in view', async () => {
    await using opened = await open('three faults', { javaScriptEnabled: false });
    const { page } = opened;
    await page.locator('.answers li').last().locator('a').click();
    const card = page.locator('.cause').last();
    await card.locator('.remedy').waitFor();
    const box = await card.locator('h2').boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect(box?.y).toBeLessThan(400);
  });

  test.each(['warnings', 'one fault', 'three faults', '24 services', 'maintenance'] as const)(
    'shows the first step on the first screen of a phone: %s',
    async (name) => {
      await using opened = await open(name, { viewport: { width: 375, height: 812 }, isMobile: true });
      const box = await opened.page.locator('.remedy > li').first().boundingBox();
      // At least three lines of it.
      expect(box?.y).toBeLessThan(812 - 3 * 24);
    },
  );

  test('has one card for 24 services, which are acknowledged at once and silenced by their cause', async () => {
    await using opened = await open('24 services');
    const { page } = opened;
    expect(await page.locator('.cause').count()).toBe(1);
    expect(await page.locator('.subjects li').count()).toBe(24);
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThan(3_500);

    await page.getByRole('button', { name: 'Acknowledge all 24' }).click();
    await page.locator('.answers', { hasText: 'Acknowledged by ada' }).waitFor();
    expect(new Set(web.state.incidents.map(({ acknowledgement }) => acknowledgement?.by))).toEqual(new Set(['ada']));
    expect(web.state.changes.map(({ action }) => action)).toEqual(Array(24).fill('acknowledge'));

    await page.getByText('Silence egress-blocked').click();
    await page.getByLabel('Reason').fill('moving');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await page.locator('.answers', { hasText: 'silenced by ada' }).waitFor();
    expect(web.state.silences).toMatchObject([{ cause: 'egress-blocked', subject: null, by: 'ada' }]);
  });

  test('does not call a silence that begins later one', async () => {
    const silence = { id: 's', cause: null, subject: null, until: NOW + 7_200_000, by: 'ben', comment: 'later' };
    await using later = await open('three faults', {}, { silences: [{ ...silence, from: NOW + 3_600_000 }] });
    expect(await later.page.locator('.answers').innerText()).not.toContain('silenced');
    await using now = await open('three faults', {}, { silences: [{ ...silence, from: NOW }] });
    expect(await now.page.locator('.answers').innerText()).toContain('silenced by ben');
  });

  test.each(['light', 'dark'] as const)('has days that differ for everybody who sees them: %s', async (colorScheme) => {
    const lastDays = PAGE_STATES.works.lastDays?.map((day, index) => ({ ...day, ...DAYS[index] }));
    await using opened = await open('works', { colorScheme }, { lastDays });
    await using blank = await openPage(browser, 'about:blank');
    const session = await opened.context.newCDPSession(opened.page);
    for (const type of ['none', 'achromatopsia', 'deuteranopia'] as const) {
      await session.send('Emulation.setEmulatedVisionDeficiency', { type });
      const shares = await differencesOf(await cellsOf(opened.page), blank.page);
      for (const share of shares) expect(share).toBeGreaterThan(0.1);
    }
  });

  test('says each state without colours', async () => {
    await using opened = await open('three faults', { forcedColors: 'active' });
    const { page } = opened;
    const bar = await page.evaluate('getComputedStyle(document.querySelector(".verdict")).borderLeftWidth');
    expect(bar).toBe('9px');
    for (const badge of await page.locator('.badge').all()) expect((await badge.textContent())?.trim()).not.toBe('');
    expect(await violations(page)).toEqual([]);
  });

  test('says the sentence of each cause once, and its headline at most twice', async () => {
    const said: string[] = [];
    await using opened = await openPage(browser, 'about:blank', { javaScriptEnabled: false });
    for (const fault of FAULT_IDS) {
      const diagnosis = diagnosisOfFault(fault);
      const [cause] = diagnosis.causes;
      if (cause === undefined) continue;
      Object.assign(web.state, webState({ diagnosis: { ...diagnosis, at: NOW } }));
      await opened.page.setContent(await web.text('/'));
      const text = ((await opened.page.locator('main').textContent()) ?? '').replaceAll(/\s+/gu, ' ');
      const summaries = text.split(cause.summary).length - 1;
      const headlines = text.replaceAll(cause.summary, '').split(groupHeadline([cause])).length - 1;
      if (summaries > 1 || headlines > 2) said.push(`${fault}: ${String(summaries)}, ${String(headlines)}`);
    }
    expect(said).toEqual([]);
  });

  test('asks for no more than today, and works in less than 36 KB with a style sheet of 22 KB', async () => {
    await using opened = await open('works');
    const page = await web.text('/');
    expect(Buffer.byteLength(page)).toBeLessThan(36 * 1024);
    expect(Buffer.byteLength(await web.text('/static/style.css'))).toBeLessThanOrEqual(22 * 1024);
    const paths = opened.requests.map((url) => new URL(url).pathname).filter((path) => !path.includes('/icon-'));
    expect(paths.toSorted()).toEqual([
      '/',
      '/static/charts.js',
      '/static/copy-buttons.js',
      '/static/distance.js',
      '/static/history.js',
      '/static/live.js',
      '/static/style.css',
    ]);
  });
});

/** As wide as a cell, and as tall as the tallest one. */
const CELL = { width: 11, height: 34 } as const;

/** Pictures of one cell for each state of a day, with what is above a lower one. */
async function cellsOf(page: Page): Promise<readonly string[]> {
  const pictures: string[] = [];
  for (const tone of ['good', 'warn', 'bad', 'unsure', 'none']) {
    const box = await page.locator(`.days .${tone}`).first().boundingBox();
    if (box === null) throw new Error(`There is no day for "${tone}"`);
    const clip = {
      x: Math.round(box.x + (box.width - CELL.width) / 2),
      y: Math.round(box.y + box.height) - CELL.height,
      ...CELL,
    };
    pictures.push((await page.screenshot({ clip })).toString('base64'));
  }
  return pictures;
}

/**
 * For each pair of pictures, the share of pixels of which either the lightness or the edge to the next pixel differs.
 * A contrast of at least 3 : 1 counts.
 */
function differencesOf(pictures: readonly string[], blank: Page): Promise<readonly number[]> {
  return blank.evaluate(`(async () => {
    const { width, height } = ${JSON.stringify(CELL)};
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const isClear = (one, other) => Math.max(one / other, other / one) >= 3;
    const seen = await Promise.all(${JSON.stringify(pictures)}.map(async (picture) => {
      const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0));
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(await createImageBitmap(new Blob([bytes], { type: 'image/png' })), 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      const lights = Array.from({ length: width * height }, (_, pixel) =>
        [0.2126, 0.7152, 0.0722].reduce((sum, part, index) => sum + part * linear(data[4 * pixel + index] / 255), 0.05));
      return { lights, edges: lights.map((light, pixel) => isClear(light, lights[pixel + 1] ?? light)) };
    }));
    return seen.flatMap((one, index) => seen.slice(index + 1).map((other) =>
      one.lights.filter((light, pixel) =>
        isClear(light, other.lights[pixel]) || one.edges[pixel] !== other.edges[pixel]).length / (width * height)));
  })()`);
}

async function violations(page: Page): Promise<readonly string[]> {
  const results = await audit(page);
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

async function unfold(page: Page): Promise<void> {
  await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
}
