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
import { writeHistoryOfLab } from './support/store/long-history.ts';

/** Texts of the lab on loopback and their equivalents at a real site: sources of regular expressions, in order. */
const FIELD: readonly (readonly [seen: string, shown: string])[] = [
  [String.raw`(?<=UDP )127\.0\.0\.1:\d+`, '10.0.0.9:514'],
  [String.raw`(?<=TCP )127\.0\.0\.1:\d+`, '10.0.0.9:601'],
  [String.raw`(?<=mail\.example\.org):\d{4,5}`, ':25'],
  [String.raw`(?<=\w):\d{4,5}\b`, ':443'],
  [String.raw`(?<=\bTCP )\d{4,5}\b`, '443'],
  [String.raw`(?<=\b(?:is|at) )127\.0\.0\.1`, '173.243.138.84'],
  [String.raw`127\.0\.0\.1`, '10.0.0.5'],
  [String.raw`/\S*/ftm-watch-lab-\w+/`, '/etc/ftm-watch/'],
];

/**
 * JavaScript for the page that replaces the lab's addresses and ports with those of a real site. Its value is a list
 * of the lab's texts that are left, which should be empty.
 */
const SHOW_FIELD = `(() => {
  const rules = ${JSON.stringify(FIELD)}.map(([seen, shown]) => [new RegExp(seen, 'gu'), shown]);
  // A port stands in an element of its own: which one it is tells the host before it.
  for (const port of document.querySelectorAll('.port')) port.replaceWith(port.textContent);
  for (const place of document.querySelectorAll('wbr')) place.remove();
  document.body.normalize();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode())
    text.data = rules.reduce((before, [seen, shown]) => before.replace(seen, shown), text.data);
  return [...(document.body.textContent.match(/\\b127\\.\\d+\\.\\d+\\.\\d+|:[1-9]\\d{4}\\b|ftm-watch-lab-\\w+/gu) ?? [])];
})()`;

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url));

const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true } as const;

const CHARTS = 3;
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
