import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import type { OpenPage } from '../../support/web/browser.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { startWeb } from '../../support/web/web-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';

const PAUSED = 'Updates are paused because text is selected';
const CHIP = '#live:not([hidden])';

describeWhere([{ program: 'chromium' }], 'the status page while somebody reads it', () => {
  let lab: Lab;
  let daemon: DaemonProcess;
  let browser: Browser;
  let opened: OpenPage;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  // Each test has a daemon without a past: two interceptions within an hour, however short, are a warning until then.
  beforeEach(async () => {
    const watched = await createWatchedLab();
    ({ lab, daemon } = watched);
    await daemon.diagnosis(({ ready, causes }) => ready === 'ready' && causes.length === 0);
    opened = await openPage(browser, await daemon.page());
    ({ page } = opened);
    await page.locator(CHIP).waitFor();
    return async () => {
      await opened[Symbol.asyncDispose]();
      await watched[Symbol.asyncDispose]();
    };
  });

  afterAll(async () => {
    await browser.close();
  });

  test('moves nothing when a round arrives that saw the same', async () => {
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.locator('.plot.drawn').first().waitFor();
    await page.evaluate('scrollTo(0, 0)');
    const before = await placesOf(page);
    for (let round = 0; round < 4; round += 1) {
      await nextRound(page);
      expect(await placesOf(page)).toEqual(before);
    }
  });

  test('keeps certificates folded until somebody unfolds them, and then unfolded', async () => {
    await lab.inspect(true);
    const chain = page.locator('.chain.bad > details');
    await chain.waitFor();
    expect(await page.locator('.chain > details[open]').count()).toBe(0);
    await chain.locator('> summary').click();
    await nextRound(page);
    expect(await page.locator('.chain.bad > details[open]').count()).toBe(1);
  });

  test('leaves selected text alone, but tells that it does, and what is new', async () => {
    await select(page, '#clock .said p');
    await lab.inspect(true);

    await page.locator(CHIP, { hasText: `${PAUSED}. Now: Not ready` }).waitFor();
    expect(await page.title()).toBe('Not ready – lab – ftm-watch');
    expect(await page.locator('#icon').getAttribute('href')).toBe('static/icon-not-ready.svg');
    expect(await page.locator('#verdict').textContent()).toBe('Ready');
    expect(await selected(page)).not.toBe('');

    await page.evaluate('getSelection().empty()');
    await page.locator('#verdict', { hasText: 'Not ready' }).waitFor();
    await page.locator(CHIP, { hasText: 'Live: Not ready' }).waitFor();
  });

  test('is up to date again a minute after text was selected and forgotten', async () => {
    await page.clock.install();
    await select(page, '#clock .said p');
    await lab.inspect(true);
    await page.locator(CHIP, { hasText: PAUSED }).waitFor();

    await page.clock.fastForward(50_000);
    await daemon.diagnosis(({ ready }) => ready === 'not-ready');
    expect(await page.locator('#verdict').textContent()).toBe('Ready');

    await page.clock.fastForward(11_000);
    await page.locator('#verdict', { hasText: 'Not ready' }).waitFor();
    await page.locator(CHIP, { hasText: 'Live: Not ready' }).waitFor();
  });

  test('leaves the keyboard where it stood', async () => {
    await lab.inspect(true);
    await daemon.diagnosis(({ ready }) => ready === 'not-ready');
    // The round that confirms it may add controls.
    for (let round = 0; round < 2; round += 1) await nextRound(page);
    const controls = ['.cause .remedy button', '.chain.bad > details > summary', '.stop.bad .parts a', '#activity a'];
    for (const control of controls) {
      const last = page.locator(control).last();
      await last.waitFor();
      await last.focus();
      await last.evaluate('document.activeElement.dataset.before = "yes"');
      await nextRound(page);
      expect(await page.evaluate('document.activeElement.dataset.before ?? "another element"')).toBe('another element');
      expect(await last.evaluate((element) => element.matches(':focus'))).toBe(true);
    }
    expect(opened.complaints).toEqual([]);
  });
});

describeWhere([{ program: 'chromium' }], 'an open status page', () => {
  test('shows each revision of a round, although its time is the same', async () => {
    const at = Date.UTC(2026, 10, 24, 12);
    await using web = await startWeb({ state: { diagnosis: diagnosisOf(at, []) } });
    const browser = await launchBrowser();
    try {
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
      await own.page.locator(CHIP).waitFor();
      for (const causes of [[causeOf('tls-intercepted')], [], [causeOf('clock-skewed')]]) {
        web.state.publish(diagnosisOf(at, causes));
        await expect.poll(() => own.page.locator('.cause').count(), { timeout: 10_000 }).toBe(causes.length);
      }
      // The event that the page already shows does not load the page again.
      expect(own.requests.filter((url) => new URL(url).pathname === '/')).toHaveLength(4);
    } finally {
      await browser.close();
    }
  });
});

async function select(page: Page, selector: string): Promise<void> {
  await page.evaluate(`getSelection().selectAllChildren(document.querySelector(${JSON.stringify(selector)}))`);
  expect(await selected(page)).not.toBe('');
}

function selected(page: Page): Promise<string> {
  return page.evaluate('getSelection().toString()');
}

/** Returns the position of every element with a heading. */
function placesOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(
    `[...document.querySelectorAll('h1, h2, h3, figure')].map((element, index) => {
      const { top, left, height } = element.getBoundingClientRect();
      return [index, element.tagName, Math.round(top + scrollY), Math.round(left), Math.round(height)].join(' ');
    })`,
  );
}

/** Waits until the content has been replaced. */
async function nextRound(page: Page): Promise<void> {
  await page.evaluate('document.querySelector("main").dataset.round = "old"');
  await page.locator('main:not([data-round])').waitFor();
}
