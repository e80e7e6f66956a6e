import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStore } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import { causeStory, mailsOf } from '../../support/notify/cause-mails.ts';
import { statusOf } from '../../support/process/daemon-process.ts';
import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { HOUR } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { parsedMails, type ParsedMail } from '../../support/mail/parsed-mails.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;
const STORE = 'mails.sqlite';

/** Returns the links in the HTML, each of which must also be in the text. URLs of other sites are part of sentences. */
function linksIn({ text, html }: ParsedMail): readonly string[] {
  const links = [...html.matchAll(/href="([^"]+)"/gu)].map(([, url = '']) => url.replaceAll('&#38;', '&'));
  const words = text.split(/\s+/u);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((url) => !words.includes(url))).toEqual([]);
  return links;
}

describeWhere([{ program: 'chromium' }, { program: 'python3' }], 'the mails of all causes', () => {
  const { told, open } = causeStory();
  let site: DaemonBench;
  let daemon: DaemonProcess;
  let publicUrl: string;
  let browser: Browser;
  let mails: readonly ParsedMail[];

  beforeAll(async () => {
    site = await createDaemonBench();
    const port = await freePort();
    publicUrl = `http://127.0.0.1:${String(port)}`;
    await site.configure({ web: { listen: `127.0.0.1:${String(port)}`, publicUrl }, store: { path: STORE } });
    const deps = { clock: systemClock, logger: logRecorder() };
    const store = createStore({ path: join(site.folder, STORE), retention: 24 * HOUR }, deps);
    store.journal.record({ state: open, incidents: open.incidents, outboxEntries: [] });
    store.close();
    daemon = site.start();
    await daemon.page();
    browser = await launchBrowser();
    mails = parsedMails(await mailsOf(told, publicUrl));
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  });

  test('have no defect for a strict parser', async () => {
    expect(mails.length).toBeGreaterThan(140);
    expect(mails.filter(({ defects }) => defects.length > 0)).toEqual([]);
    expect(mails.map(({ subject }) => subject).filter((subject) => subject.length > 60)).toEqual([]);
    // The parser reports a defect if the last boundary is missing.
    const [broken = ''] = await mailsOf(told.slice(0, 1), publicUrl);
    expect(parsedMails([broken.replace(/--\s*$/u, '')])[0]?.defects).not.toEqual([]);
  });

  test('show on a phone what to do, and its links, without scrolling', async () => {
    await using opened = await openPage(browser, 'about:blank', PHONE);
    const { page } = opened;
    const hidden: unknown[] = [];
    for (const { subject, html } of mails) {
      await page.setContent(html);
      const seen = await page.evaluate<{ lead: number; link: number; width: number }>(`({
        lead: document.querySelector('body > div > div').getBoundingClientRect().bottom,
        link: document.querySelector('a').getBoundingClientRect().bottom,
        width: document.documentElement.scrollWidth,
      })`);
      if (seen.lead > 844 || seen.link > 844 || seen.width > 390) hidden.push({ subject, ...seen });
    }
    expect(hidden).toEqual([]);
  }, 120_000);

  test('lead to pages that are there, each to what it is about', async () => {
    const urls = [...new Set(mails.flatMap(linksIn))];
    expect(urls.filter((url) => url.includes('/incidents/'))).toHaveLength(open.incidents.length);
    expect(urls.filter((url) => url.includes('/runbooks/'))).toHaveLength(open.incidents.length);
    expect(urls.filter((url) => !url.startsWith(`${publicUrl}/`))).toEqual([]);
    for (const url of urls) {
      const response = await fetch(url);
      expect([url, response.status]).toEqual([url, 200]);
      const [, cause = ''] = /\/runbooks\/(.+)$/u.exec(url) ?? [];
      const incident = open.incidents.find(({ id }) => url.endsWith(`/incidents/${id}`));
      expect(await response.text()).toContain(incident?.cause.id ?? cause);
    }
  }, 120_000);

  /** Everything that a user can change, and the state of the incidents. */
  async function stateOfDaemon(): Promise<unknown> {
    const paths = ['silences', 'audit', 'incidents', 'notifications'];
    return Promise.all(paths.map(async (path) => (await fetch(`${publicUrl}/api/v1/${path}`)).json()));
  }

  test('change nothing, whoever follows their links and runs the scripts of the pages without a click', async () => {
    await expect.poll(() => statusOf(publicUrl)).not.toBeNull();
    const before = await stateOfDaemon();
    await using opened = await openPage(browser, 'about:blank', PHONE);
    for (const url of new Set(mails.flatMap(linksIn))) {
      await fetch(url, { method: 'HEAD' });
      await opened.page.goto(url, { waitUntil: 'load' });
    }
    expect(opened.requests.length).toBeGreaterThan(2 * open.incidents.length);
    expect(await stateOfDaemon()).toEqual(before);
  }, 300_000);
});
