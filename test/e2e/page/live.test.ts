import type { Browser, Page, Response } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { verdictWords } from '../../../src/checks/verdict-words.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import type { OpenPage } from '../../support/web/browser.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { ACCOUNT_LOGIN, startWeb } from '../../support/web/web-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';

const WORKS = verdictWords({ ready: 'ready', causes: [] }).text;
const BROKEN = verdictWords({ ready: 'not-ready', causes: [] }).text;
const PAUSED = 'Updates are paused because text is selected or a form is in use';
const CHIP = '#live:not([hidden])';

function toneOf(page: Page, selector: string, name = '--tone'): Promise<unknown> {
  return page.evaluate(`getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${name}')`);
}

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
    await select(page, '#verdict');
    await lab.inspect(true);

    await page.locator(CHIP, { hasText: `${PAUSED}. Now: ${BROKEN}` }).waitFor();
    expect(await page.title()).toBe(`${BROKEN} – lab – ftm-watch`);
    expect(await page.locator('#icon').getAttribute('href')).toBe('static/icon-not-ready.svg');
    expect(await page.locator('#verdict').textContent()).toBe(WORKS);
    expect(await selected(page)).not.toBe('');

    await page.evaluate('getSelection().empty()');
    await page.locator('#verdict', { hasText: BROKEN }).waitFor();
    await page.locator(CHIP, { hasText: `Connected: ${BROKEN}` }).waitFor();
  });

  test('is up to date again a minute after text was selected and forgotten', async () => {
    await page.clock.install();
    await select(page, '#verdict');
    await lab.inspect(true);
    await page.locator(CHIP, { hasText: PAUSED }).waitFor();

    await page.clock.fastForward(50_000);
    await daemon.diagnosis(({ ready }) => ready === 'not-ready');
    expect(await page.locator('#verdict').textContent()).toBe(WORKS);

    await page.clock.fastForward(11_000);
    await page.locator('#verdict', { hasText: BROKEN }).waitFor();
    await page.locator(CHIP, { hasText: `Connected: ${BROKEN}` }).waitFor();
  });

  test('leaves the keyboard, the place in a long command and unfolded parts where they stood', async () => {
    await lab.inspect(true);
    await daemon.diagnosis(({ ready }) => ready === 'not-ready');
    // The round that confirms it may add controls.
    for (let round = 0; round < 2; round += 1) await nextRound(page);
    const command = page.locator('.cause pre').first();
    await command.evaluate((pre) => {
      pre.style.width = '100px';
      pre.scrollLeft = 40;
    });
    await page.locator('.cause > [id$="-evidence"] > summary').first().click();
    const controls = [
      '.cause .remedy button:visible',
      '.chain.bad > details > summary',
      '.stop.bad .parts a',
      '#activity a',
    ];
    for (const control of controls) {
      const last = page.locator(control).last();
      await last.waitFor();
      await last.focus();
      await nextRound(page);
      expect(await last.evaluate((element) => element.matches(':focus'))).toBe(true);
    }
    expect(await command.evaluate(({ scrollLeft }) => scrollLeft)).toBe(40);
    expect(await page.locator('.cause > [id$="-evidence"]').first().getAttribute('open')).not.toBeNull();
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
        web.state.diagnosis = diagnosisOf(at, causes);
        await lookAgain(own.page);
        await expect.poll(() => own.page.locator('.cause').count(), { timeout: 10_000 }).toBe(causes.length);
      }
    } finally {
      await browser.close();
    }
  });

  test('keeps what somebody types, however much a round changes', async () => {
    const faults = ['one.example.org:25', 'two.example.org:25'].map((subject) =>
      causeOf('mail-unreachable', { subject }),
    );
    const { incidents } = timeline().rounds(2, faults).state;
    await using web = await startWeb({ account: 'ops', state: { diagnosis: diagnosisOf(START, faults), incidents } });
    const browser = await launchBrowser();
    try {
      const login = { extraHTTPHeaders: ACCOUNT_LOGIN };
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, login);
      const { page } = own;
      await page.locator(CHIP).waitFor();
      await page.locator('[id$="-silence"] > summary').click();
      const reason = page.locator('input[name=comment]');
      await reason.fill('not half yet');
      await reason.press('Home');
      web.state.diagnosis = diagnosisOf(START + 30_000, [...faults, causeOf('tls-intercepted')]);
      await lookAgain(page);
      await page.locator('.cause').nth(1).waitFor();
      await page.keyboard.type('done, ');
      expect(await reason.inputValue()).toBe('done, not half yet');
    } finally {
      await browser.close();
    }
  });

  test('leaves a fault that stays as it is read while another one comes before it and goes', async () => {
    const step = {
      text: 'Run it.',
      commands: `echo ${'long '.repeat(200)}`,
      undo: null,
      syntax: 'shell',
      blanks: [],
    } as const;
    const faults = ['one.example.org:25', 'two.example.org:25'].map((subject) =>
      causeOf('mail-unreachable', { subject, remedySteps: [step] }),
    );
    const { incidents } = timeline().rounds(2, faults).state;
    await using web = await startWeb({ account: 'ops', state: { diagnosis: diagnosisOf(START, faults), incidents } });
    const browser = await launchBrowser();
    try {
      const login = { extraHTTPHeaders: ACCOUNT_LOGIN };
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`, login);
      const { page } = own;
      await page.locator(CHIP).waitFor();
      await page.locator('[id$="-silence"] > summary').click();
      await page.locator('[id$="-evidence"] > summary').click();
      await page.locator('input[name=comment]').fill('not half yet');
      await page.evaluate('document.querySelector(".remedy pre").scrollLeft = 300');
      await page.locator('.remedy button').focus();
      await page.evaluate('globalThis.read = document.querySelectorAll(".cause pre, .cause input[name=comment]")');
      const others = [[causeOf('tls-intercepted')], [causeOf('tls-intercepted'), causeOf('clock-skewed')], []];
      for (const [index, more] of others.entries()) {
        web.state.diagnosis = diagnosisOf(START + 30_000 * (index + 1), [...more, ...faults]);
        await lookAgain(page);
        await expect.poll(() => page.locator('.cause').count()).toBe(more.length + 1);
        expect(await page.locator('.cause .tag').allInnerTexts()).toEqual([
          ...more.map(({ id }) => id),
          'mail-unreachable',
        ]);
        const left = await page.evaluate(`[
          ...[...read].map(({ isConnected, value, scrollLeft }) => isConnected && (value ?? scrollLeft)),
          document.activeElement.matches('.remedy button'),
          read[1].closest('.cause').querySelector('[id$="-evidence"]').open,
        ]`);
        expect(left).toEqual(['not half yet', 300, true, true]);
      }
      expect(own.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test('says that nobody knows the state once the last round is outdated, and keeps its result', async () => {
    const clock = handClock(START);
    await using web = await startWeb({ state: { diagnosis: diagnosisOf(START, []), knownFor: 600_000 }, clock });
    const browser = await launchBrowser();
    try {
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
      const { page } = own;
      await page.locator(CHIP, { hasText: WORKS }).waitFor();
      clock.advance(600_001);
      await lookAgain(page);
      await page.locator('.verdict.unsure .rest').waitFor();
      // What was good does not look as if it still were.
      expect(await toneOf(page, '.stop.good')).toBe(await toneOf(page, ':root', '--none'));
      const command = page.locator('.verdict .command', { hasText: 'systemctl restart' });
      expect(await command.count()).toBe(1);
      web.state.activity = { ...web.state.activity, nextRound: clock.now() + 3_600_000 };
      await lookAgain(page);
      await command.waitFor({ state: 'detached' });
      expect(await page.title()).toMatch(/^Unknown whether [a-z ]+ – hq/u);
      expect(await page.locator('#icon').getAttribute('href')).toBe('static/icon-unknown.svg');
      expect(await web.json('/badge.json')).toMatchObject({ message: 'unknown' });
      expect(seriousOf(await audit(page))).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test('prints everything, with times', async () => {
    await using web = await startWeb({ state: { diagnosis: diagnosisOf(START, [causeOf('tls-intercepted')]) } });
    const browser = await launchBrowser();
    try {
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
      const { page } = own;
      await page.locator(CHIP).waitFor();
      const evidence = page.locator('.cause > [id$="-evidence"] > :not(summary)').first();
      const hidden = await page.locator('nav, .copy, form').all();
      expect(await evidence.isVisible()).toBe(false);
      await page.emulateMedia({ media: 'print' });
      expect(await evidence.isVisible()).toBe(true);
      expect(hidden.length).toBeGreaterThan(0);
      for (const control of hidden) expect(await control.isVisible()).toBe(false);

      const due = page.locator('#seen time[data-distance]');
      expect(await due.innerText()).toMatch(/ ago\)$/u);
      await page.evaluate(`addEventListener('beforeprint', () => {
        document.body.dataset.printed = document.querySelector('#seen time[data-distance]').textContent;
      })`);
      await page.pdf();
      expect(await page.locator('body').getAttribute('data-printed')).toBe('24 Nov 13:00');
      await expect.poll(() => due.innerText()).toMatch(/ ago\)$/u);
    } finally {
      await browser.close();
    }
  });

  test('gets no content without news, and replaces only what is new', async () => {
    await using web = await startWeb({ state: { diagnosis: diagnosisOf(START, []) } });
    const browser = await launchBrowser();
    try {
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
      const { page } = own;
      await page.locator(CHIP).waitFor();
      await page.evaluate(`for (const element of document.querySelectorAll('main *')) element.dataset.before = 'yes'`);
      const news = page.waitForResponse(isPage);
      await lookAgain(page);
      expect((await news).status()).toBe(304);

      web.state.now += 30_000;
      web.state.diagnosis = diagnosisOf(START + 30_000, []);
      await lookAgain(page);
      await page.locator('#seen:not([data-before])').waitFor();
      const replaced = 'main *:not([data-before]):not(.copy)';
      expect(await page.locator(`${replaced}:not(#seen, #seen *)`).count()).toBe(0);
    } finally {
      await browser.close();
    }
  });

  test('shows nothing of a request in the gap of a reload, and asks again soon', async () => {
    await using web = await startWeb({ state: { diagnosis: diagnosisOf(START, []) } });
    const browser = await launchBrowser();
    try {
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
      const { page, context } = own;
      await page.clock.install();
      await page.reload();
      await page.locator(CHIP).waitFor();
      await page.clock.pauseAt(Date.now() + 1_000);
      await context.setOffline(true);
      await lookAgain(page);
      // Fails after the request of the page.
      await page.evaluate('fetch(location.href).catch(() => null)');
      await context.setOffline(false);
      web.state.diagnosis = diagnosisOf(START, [causeOf('tls-intercepted')]);
      await page.clock.runFor(1_100);
      await page.locator('.cause').waitFor();
      expect(await page.locator('#lost:visible').count()).toBe(0);
    } finally {
      await browser.close();
    }
  });

  test('says after a quarter of a minute that nobody answers, dims nothing, and is live again afterwards', async () => {
    const web = await startWeb({ state: { diagnosis: diagnosisOf(START, []) } });
    const browser = await launchBrowser();
    try {
      await using own = await openPage(browser, `http://127.0.0.1:${String(web.port)}/`);
      const { page } = own;
      await page.clock.install();
      await page.reload();
      await page.locator(CHIP).waitFor();
      const [title, heading] = [await page.title(), await page.locator('h1').innerText()];
      await own.context.setOffline(true);
      await page.clock.runFor(14_000);
      expect([await page.title(), await page.locator('#lost:visible').count()]).toEqual([title, 0]);

      await page.clock.runFor(8_000);
      await page.locator('#lost', { hasText: /\d\d:\d\d:\d\d/u }).waitFor();
      expect(await page.title()).toMatch(/^Unknown – hq/u);
      expect(await page.locator('#icon').getAttribute('href')).toBe('static/icon-unknown.svg');
      expect(await page.locator('#lost').getAttribute('role')).toBe('status');
      expect(await page.locator('h1').innerText()).toBe(`Last known: ${heading}`);
      expect(await toneOf(page, '.verdict')).toBe(await toneOf(page, ':root', '--none'));
      expect(seriousOf(await audit(page))).toEqual([]);
      expect(await page.evaluate(`getComputedStyle(document.querySelector('main')).opacity`)).toBe('1');

      await own.context.setOffline(false);
      await page.clock.runFor(6_000);
      await page.locator(CHIP).waitFor();
      expect([await page.title(), await page.locator('#lost:visible').count()]).toEqual([title, 0]);
      expect(await page.locator('h1').innerText()).toBe(heading);
    } finally {
      await browser.close();
      await web[Symbol.asyncDispose]();
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

/** Waits until the page shows another round. */
async function nextRound(page: Page): Promise<void> {
  const seen = String(await page.locator('#seen time').first().getAttribute('datetime'));
  await expect
    .poll(
      async () => {
        await lookAgain(page);
        return page.locator('#seen time').first().getAttribute('datetime');
      },
      { timeout: 10_000 },
    )
    .not.toBe(seen);
}

function isPage(response: Response): boolean {
  return new URL(response.url()).pathname === '/';
}

/** As when the page becomes visible: the page asks for news at once. */
async function lookAgain(page: Page): Promise<void> {
  await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
}
