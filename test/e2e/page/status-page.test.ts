import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page, Response } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { verdictWords } from '../../../src/checks/verdict-words.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { launchBrowser, openPage, type OpenPage } from '../../support/web/browser.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { STOP_FAULTS } from './stop-faults.ts';
import { writeHistoryOfLab } from '../../support/store/long-history.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { watchLab, createWatchedLab } from '../../support/network/lab-check.ts';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;
/**
 * The promise: an injected fault is shown within 10 s, without a reload. The registration is asked up to 6 s later than
 * everything else.
 */
const SHOWN_WITHIN_MS = 16_000;
/** Includes the registration, which the lab does not check by default, and which has a quota. */
const EACH_SECOND = { probes: '* * * * * *', appliance: '* * * * * *', registration: '*/6 * * * * *' };
const MOST_BYTES = 104 * 1024;
const HOSTILE = '<script>document.title="owned"</script>';
/** The same text as shown to users. Names in certificates contain the escapes of RFC 4514. */
const HOSTILE_TEXT = /\\?<script\\?>document\.title\\?=\\?["']owned\\?["']\\?<\/script\\?>/u;

describeWhere([{ program: 'chromium' }], 'the status page', () => {
  let lab: Lab;
  let daemon: DaemonProcess;
  let browser: Browser;

  beforeAll(async () => {
    lab = await createLab({ schedule: EACH_SECOND });
    writeHistoryOfLab(lab);
    browser = await launchBrowser();
  });

  // A new daemon for each test, because faults in several consecutive tests would count as one flapping fault.
  beforeEach(async () => {
    daemon = await watchLab(lab);
    lab.applianceLog.sendTo(await daemon.syslogTcpPort());
    // The daemon waits for the log's first line.
    await lab.applianceLog.say('Local user login successful');
    await allReady();
  });

  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
    // State that the next daemon would load. A daemon that ends during a query of the registration service causes a
    // pause of a minute.
    for (const name of ['share.json', 'registration.json']) await rm(join(lab.folder, 'data', name), { force: true });
    for (const { end } of STOP_FAULTS) await end(lab);
  });

  afterAll(async () => {
    await browser.close();
    await lab[Symbol.asyncDispose]();
  });

  async function allReady(): Promise<void> {
    await daemon.diagnosis(({ ready, causes }) => ready === 'ready' && causes.length === 0);
  }

  test.each(STOP_FAULTS)('turns red at "$stop" without a reload, and green again', async ({ stop, begin, end }) => {
    await using opened = await openPage(browser, await daemon.page());
    const { page } = opened;
    await stopOf(page, stop, 'good').waitFor();
    await page.evaluate('document.documentElement.dataset.stays = "yes"');

    {
      using _fault = repeated(() => begin(lab));
      await stopOf(page, stop, 'bad').waitFor({ timeout: SHOWN_WITHIN_MS });
    }
    expect(await page.locator('.stop.bad strong').allTextContents()).toEqual([stop]);
    const heading = (await page.locator('#verdict').textContent()) ?? '';
    expect(await page.title()).toBe(`${heading} – lab – ftm-watch`);
    expect(await page.locator('.verdict.bad').count()).toBe(1);

    await end(lab);
    await stopOf(page, stop, 'good').waitFor({ timeout: SHOWN_WITHIN_MS });
    expect(await page.evaluate('document.documentElement.dataset.stays')).toBe('yes');
    expect(opened.complaints).toEqual([]);
  });

  test('is whole without JavaScript', async () => {
    await lab.inspect(true);
    // A second check confirms the incident. Resolved incidents may be on the page as well.
    const open = async () => (await daemon.openIncidents()).map(({ cause }) => cause);
    await expect.poll(open).toContain('tls-intercepted');
    await using opened = await openPage(browser, await daemon.page(), { javaScriptEnabled: false });
    const { page } = opened;

    expect(await page.locator('h1').textContent()).toBe(verdictWords({ ready: 'not-ready', causes: [] }).text);
    expect(await page.locator('.stops .stop').count()).toBe(5);
    expect(await page.locator('.branches .stop').count()).toBe(5);
    const tops = await page.locator('.branches .stop').evaluateAll((stops) => stops.map((stop) => stop.offsetTop));
    expect(new Set(tops).size).toBe(1);
    expect(await page.locator('.checklist > li').count()).toBe(14);
    const text = (await page.locator('main').textContent()) ?? '';
    for (const part of [
      'tls-intercepted',
      'What to do',
      'Received certificates',
      'FGVMEV0000000001',
      'Notifications',
    ]) {
      expect(text).toContain(part);
    }
    expect(await page.locator('#activity').count()).toBe(1);
    // The button that copies a command needs a script, so it must be absent without one.
    expect(await page.locator('button').count()).toBe(0);

    await page.locator('.cause .actions a').first().click();
    const command = (await page.locator('#commands .line').first().textContent()) ?? '';
    // Without $USER and other variables, as in a container.
    const told = await promisify(execFile)('sh', ['-c', command], { env: { PATH: process.env['PATH'] } });
    expect(told).toEqual({ stdout: '', stderr: '' });
    await page.reload();
    expect(await page.locator('#state').innerText()).toMatch(
      new RegExp(`Acknowledged by .*${userInfo().username}`, 'u'),
    );
  });

  test.each<{ readonly how: string; readonly options: BrowserContextOptions }>([
    { how: 'light', options: { colorScheme: 'light' } },
    { how: 'dark', options: { colorScheme: 'dark' } },
    { how: 'dark, on a phone', options: { colorScheme: 'dark', ...PHONE } },
  ])('has no serious problem of accessibility: $how', async ({ options }) => {
    await lab.inspect(true);
    lab.mail.setFault('refuse-recipient');
    await daemon.diagnosis(({ causes }) => causes.length === 2);
    await using opened = await openPage(browser, await daemon.page(), options);
    await opened.page.locator('.stop.bad').first().waitFor();
    const results = await audit(opened.page);

    expect(results.passes.length).toBeGreaterThan(10);
    expect(seriousOf(results)).toEqual([]);
    // Nothing overflows horizontally.
    expect(await opened.page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  });

  test('asks nobody but the daemon, for less than 104 KB with two faults', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const sizes: Promise<number>[] = [];
    const origins = new Set<string>();
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    const measure = (response: Response) => {
      sizes.push(response.body().then(({ length }) => length));
    };
    page.on('response', measure);
    await page.goto(await daemon.page(), { waitUntil: 'load' });
    // All later responses belong to new rounds. The end of the test may truncate their bodies.
    page.off('response', measure);
    await page.locator('#live:not([hidden])').waitFor();
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    await context.close();

    expect([...origins]).toEqual([new URL(await daemon.page()).origin]);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  test('tells the past in words without JavaScript, and draws it with it', async () => {
    await using plain = await openPage(browser, await daemon.page(), { javaScriptEnabled: false });
    expect(await plain.page.locator('#ninety-days').innerText()).toMatch(/\d+(?:\.\d+)? % available/u);
    expect(await plain.page.locator('.days a').count()).toBe(90);
    expect(await plain.page.locator('.plot:visible').count()).toBe(0);

    await using opened = await openPage(browser, await daemon.page());
    const { page } = opened;
    const loaded = () =>
      opened.requests.filter((url) => /uplot|history\?range=7d$/u.test(url)).map((url) => new URL(url).pathname);
    await page.locator('#live:not([hidden])').waitFor();
    expect(loaded()).toEqual([]);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.locator('.plot.drawn').nth(2).waitFor();
    expect(loaded().toSorted()).toEqual(['/api/v1/history', '/static/uplot.css', '/static/uplot.js']);
    // Charts are kept when a round replaces everything around them.
    const seen = String(await page.locator('#seen time').getAttribute('datetime'));
    await page.locator(`#seen time:not([datetime="${seen}"])`).waitFor();
    expect(await page.locator('.plot.drawn canvas').count()).toBe(3);
    expect(opened.complaints).toEqual([]);
    expect(seriousOf(await audit(page))).toEqual([]);
  });

  test('shows a script in a log line as text', async () => {
    // A line that arrives while the path is broken is evidence of the cause, unless it was broken shortly before.
    await using watched = await createWatchedLab({ schedule: EACH_SECOND });
    const { lab: clean, daemon: own } = watched;
    clean.applianceLog.sendTo(await own.syslogTcpPort());
    await clean.applianceLog.say('Local user login successful');
    await own.diagnosis(({ ready }) => ready === 'ready');
    await clean.inspect(true);
    await using opened = await openPage(browser, await own.page());
    using _lines = repeated(() => clean.applianceLog.say(`FTM polling error: ${HOSTILE}`));
    expect(await harmOf(opened)).toEqual([]);
  });

  test('shows a script in the name of a certificate as text', async () => {
    // Quoted, so that RFC 4514 allows "<" and ">" unescaped.
    const authority = await createIdentity({ name: `O="${HOSTILE.replaceAll('"', "'")}", CN=Evil`, authority: true });
    await lab.firewall.setMode({ kind: 'inspect', authority });
    await daemon.diagnosis(({ preconditions }) => JSON.stringify(preconditions).includes('Evil'));
    await using opened = await openPage(browser, await daemon.page());
    expect(await harmOf(opened)).toEqual([]);
  });
});

/** Repeats it until disposal, because a log line counts for two seconds only. */
function repeated(begin: () => Promise<void> | void): Disposable {
  const timer = setInterval(() => void begin(), 1_000);
  void begin();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Returns the ways in which a script became more than text. */
async function harmOf({ page, complaints }: OpenPage): Promise<readonly string[]> {
  await page.locator('#live:not([hidden])').waitFor();
  const isThere = await page
    .locator('main', { hasText: HOSTILE_TEXT })
    .waitFor({ timeout: 10_000 })
    .then(
      () => true,
      () => false,
    );
  const [scripts, title] = [await page.locator('main script').count(), await page.title()];
  return [
    ...(isThere ? [] : ['its text is not there']),
    ...(scripts === 0 ? [] : ['it is an element of the page']),
    ...(title.includes('owned') ? ['it ran'] : []),
    ...complaints,
  ];
}

function stopOf(page: Page, name: string, tone: 'good' | 'bad'): ReturnType<Page['locator']> {
  return page.locator(`.stop.${tone}`, { has: page.getByText(name, { exact: true }) });
}
