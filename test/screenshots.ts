// Takes the screenshots for the documentation from the real page: `node test/screenshots.ts` writes docs/images/.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Notification } from '../src/engine/incident/incident.ts';
import { launchBrowser, openPage } from './support/web/browser.ts';
import { causeStory, mailsOf } from './support/notify/cause-mails.ts';
import { parsedMails } from './support/mail/parsed-mails.ts';
import { learnTrust, startDaemon, type Daemon } from '../src/demo/daemon.ts';
import { createLab } from '../src/demo/lab/lab.ts';
import { SHOW_FIELD } from './picture-texts.ts';
import { writeHistoryOfLab } from './support/store/long-history.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));

const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true } as const;

const CHARTS = 4;
const LIMIT_MS = 30_000;

async function shoot(browser: Browser, daemon: Daemon, name: string, options: BrowserContextOptions): Promise<void> {
  await using opened = await openPage(browser, daemon.url, options);
  await settle(opened.page);
  await showField(opened.page);
  await opened.page.screenshot({ path: `${FOLDER}${name}.png`, animations: 'disabled' });
  process.stdout.write(`docs/images/${name}.png\n`);
}

async function shootHistory(browser: Browser, daemon: Daemon): Promise<void> {
  // High enough for the whole section.
  const viewport = { ...DESKTOP.viewport, height: 1_200 };
  await using opened = await openPage(browser, daemon.url, { viewport, colorScheme: 'light' });
  const { page } = opened;
  await settle(page);
  await page.evaluate('scrollTo(0, document.body.scrollHeight)');
  await page
    .locator('.plot.drawn')
    .nth(CHARTS - 1)
    .waitFor();
  await showField(page);
  const box = await page.locator('.history').boundingBox();
  await page.screenshot({
    path: `${FOLDER}history.png`,
    animations: 'disabled',
    ...(box === null ? {} : { clip: box }),
  });
  process.stdout.write('docs/images/history.png\n');
}

function interceptionTold(): readonly Notification[] {
  const { told } = causeStory();
  return told.filter(
    (one) => one.kind === 'incident' && one.event === 'firing' && one.incident.cause.id === 'tls-intercepted',
  );
}

/** Captures the mail about an interception as shown on a phone. */
async function shootMail(browser: Browser, name: string, options: BrowserContextOptions): Promise<void> {
  const [mail] = parsedMails(await mailsOf(interceptionTold(), 'https://ftm.example.org'));
  await using opened = await openPage(browser, 'about:blank', options);
  await opened.page.setContent(mail?.html ?? '');
  await opened.page.screenshot({ path: `${FOLDER}${name}.png`, animations: 'disabled' });
  process.stdout.write(`docs/images/${name}.png\n`);
}

/** Waits until the page is live. */
async function settle(page: Page): Promise<void> {
  await page.locator('#live:not([hidden])').waitFor();
}

async function showField(page: Page): Promise<void> {
  const left = await page.evaluate<readonly string[]>(SHOW_FIELD);
  if (left.length > 0) throw new Error(`Cannot take the picture: it shows ${left.join(', ')} of the lab`);
}

await mkdir(FOLDER, { recursive: true });
await using lab = await createLab();
writeHistoryOfLab(lab);
await learnTrust(lab.configFile, lab.folder, MAIN);
await using daemon = await startDaemon(lab.configFile, lab.folder, MAIN);
await using browser = await launchBrowser();
if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
await daemon.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(LIMIT_MS));
await shoot(browser, daemon, 'status-ready', { ...DESKTOP, colorScheme: 'light' });
await shootHistory(browser, daemon);
await lab.inspect(true);
await lab.inbox.mail(({ event }) => event === 'firing', AbortSignal.timeout(LIMIT_MS));
await shoot(browser, daemon, 'status-broken', { ...DESKTOP, colorScheme: 'light' });
await shoot(browser, daemon, 'status-broken-dark', { ...DESKTOP, colorScheme: 'dark' });
await shootMail(browser, 'mail-phone', { ...PHONE, colorScheme: 'light' });
await shootMail(browser, 'mail-phone-dark', { ...PHONE, colorScheme: 'dark' });
await shoot(browser, daemon, 'status-phone', { ...PHONE, colorScheme: 'light' });
