import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAULT_IDS } from '../../../src/checks/registry.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import { diagnosisOfFault } from '../../support/checks/diagnosis-of-fault.ts';
import { CONTEXT } from '../../support/checks/judged-round.ts';
import { SECOND, timeline } from '../../support/store/incident-timeline.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';

const HEIGHT = 844;
/** Each pair of a width, a colour scheme, and with or without scripts. */
const LOOKS = [1440, 900, 390].flatMap((width, row) =>
  (['light', 'dark'] as const).map((colorScheme, column) => ({
    width,
    colorScheme,
    scripts: (row + column) % 2 === 0,
  })),
);
/** Minimum target size in pixels (WCAG 2.2, 2.5.8). */
const LEAST_TARGET = 24;

describeWhere([{ program: 'chromium' }], 'the status page, for every cause', () => {
  let web: WebBench;
  let browser: Browser;

  beforeAll(async () => {
    // In a zone whose date differs from UTC, times are longest.
    const state = { timezone: 'Pacific/Chatham' };
    const clock = { ...systemClock, now: () => CONTEXT.at + SECOND };
    [web, browser] = await Promise.all([startWeb({ state, clock }), launchBrowser()]);
  });

  afterAll(async () => {
    await browser.close();
    await web[Symbol.asyncDispose]();
  });

  test.each([true, false])('has the first step on the first screen of a phone, JavaScript: %s', async (javaScript) => {
    const options = { viewport: { width: 390, height: HEIGHT }, isMobile: true, javaScriptEnabled: javaScript };
    await using opened = await openPage(browser, 'about:blank', options);
    const below: string[] = [];
    for (const fault of FAULT_IDS) {
      web.state.diagnosis = diagnosisOfFault(fault);
      await opened.page.goto(`http://127.0.0.1:${String(web.port)}/`);
      const bottom = await bottomOf(opened.page, '.remedy > li');
      if (bottom > HEIGHT) below.push(`${fault}: ${String(bottom)} px`);
    }
    expect(below).toEqual([]);
  });

  test('covers no command with its button on a phone, and breaks no port in two', async () => {
    const diagnoses = FAULT_IDS.map(diagnosisOfFault);
    const [first] = diagnoses;
    if (first === undefined) throw new Error('There are no causes');
    const causes = diagnoses.flatMap((diagnosis) => diagnosis.causes);
    web.state.diagnosis = { ...first, causes };
    web.state.incidents = timeline({ maxPerHour: 1_000 }).rounds(2, causes.slice(0, 5)).state.incidents;
    const options = { viewport: { width: 390, height: HEIGHT }, isMobile: true };
    await using opened = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, options);
    const { page } = opened;
    await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');

    expect(await page.locator('button.copy').count()).toBeGreaterThan(20);
    expect(await covered(page)).toEqual([]);
    expect(await page.getByText(':443').count()).toBeGreaterThan(20);
    expect(await brokenPorts(page)).toEqual([]);
  });

  test.each(LOOKS)(
    'is accessible, $width px, $colorScheme, JavaScript: $scripts',
    async ({ width, colorScheme, scripts }) => {
      const diagnoses = FAULT_IDS.map(diagnosisOfFault);
      const [first] = diagnoses;
      if (first === undefined) throw new Error('There are no causes');
      const causes = diagnoses.flatMap((diagnosis) => diagnosis.causes);
      web.state.diagnosis = { ...first, causes };
      web.state.incidents = timeline({ maxPerHour: 1_000 }).rounds(2, causes.slice(0, 5)).state.incidents;
      const options = { viewport: { width, height: HEIGHT }, colorScheme };
      await using opened = await openPage(browser, 'about:blank', options);
      const { page } = opened;
      // The auditor needs scripts, so only the scripts of the page are blocked.
      if (!scripts) await page.route('**/static/*.js', (route) => route.abort());
      await page.goto(`http://127.0.0.1:${String(web.port)}/`);
      expect(await page.locator('button.copy').count()).toSatisfy((count: number) => count > 0 === scripts);
      expect(await page.locator('.cause').count()).toBe(causes.length);

      // First folded, as the page is loaded, then unfolded.
      expect(await smallTargets(page)).toEqual([]);
      await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
      expect(await smallTargets(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      const results = await audit(page);
      expect(results.passes.length).toBeGreaterThan(10);
      expect(seriousOf(results)).toEqual([]);
    },
  );
});

/** Returns how far down the page the first match ends. */
async function bottomOf(page: Page, selector: string): Promise<number> {
  const box = await page.locator(selector).first().boundingBox();
  return box === null ? Number.POSITIVE_INFINITY : box.y + box.height;
}

/** Returns commands that are partly covered by a button. */
function covered(page: Page): Promise<readonly string[]> {
  return page.evaluate(
    `[...document.querySelectorAll('[data-copy]')].flatMap((command) => {
      const range = document.createRange();
      const lines = [...command.querySelectorAll('.line'), ...(command.matches('pre') ? [command] : [])].flatMap((of) => {
        range.setStart(of, of.firstElementChild?.matches('button') ? 1 : 0);
        range.setEndAfter(of.lastChild);
        return [...range.getClientRects()];
      });
      const buttons = [...document.querySelectorAll('button.copy')].map((button) => button.getBoundingClientRect());
      const isCovered = lines.some((line) => buttons.some((button) =>
        line.left < button.right && button.left < line.right && line.top < button.bottom && button.top < line.bottom));
      return isCovered ? [command.textContent] : [];
    })`,
  );
}

/** Returns texts in which a line breaks within `:443`. */
function brokenPorts(page: Page): Promise<readonly string[]> {
  return page.evaluate(
    `(() => {
      const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
      const broken = [];
      while (texts.nextNode()) {
        const { currentNode } = texts;
        const at = currentNode.data.indexOf(':443');
        if (at < 0 || currentNode.parentElement.closest('pre, code') !== null) continue;
        const range = document.createRange();
        range.setStart(currentNode, at);
        range.setEnd(currentNode, at + 4);
        if (range.getClientRects().length > 1) broken.push(currentNode.parentElement.textContent);
      }
      return broken;
    })()`,
  );
}

/** Returns targets that are too small to tap reliably. */
function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(
    `[...document.querySelectorAll('a, button, summary, input, select')].flatMap((element) => {
      const { width, height } = element.getBoundingClientRect();
      return width === 0 || (width >= ${String(LEAST_TARGET)} && height >= ${String(LEAST_TARGET)})
        ? []
        : [element.outerHTML.slice(0, 80) + ' ' + width + ' x ' + height];
    })`,
  );
}
