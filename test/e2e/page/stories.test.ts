import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLab } from '../../../src/demo/lab/lab.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import { askSocket } from '../../support/process/control-socket.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { watchLab } from '../../support/network/lab-check.ts';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

describeWhere([{ program: 'chromium' }], 'stories on the status page', () => {
  let lab: Lab;
  let daemon: DaemonProcess;
  let browser: Browser;

  beforeAll(async () => {
    lab = await createLab();
    daemon = await watchLab(lab);
    browser = await launchBrowser();
    await daemon.diagnosis(({ ready, causes }) => ready === 'ready' && causes.length === 0);
  });

  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  test('tells the story of an incident, who was told, who silenced it, and keeps it when it is over', async () => {
    await using opened = await openPage(browser, await daemon.page());
    const { page } = opened;
    await lab.inspect(true);
    const row = page.locator('.cause.bad');
    await row.getByText('once about this incident').waitFor();
    const address = await row.locator('.actions a').first().getAttribute('href');
    await using incident = await openPage(browser, new URL(address ?? '', await daemon.page()).href);
    // A control host is inspected too, so the round that first saw the inspection has confirmed it.
    const told = (await incident.page.locator('.rows tbody tr').allInnerTexts()).join('\n');
    expect(told).toMatch(/Confirmed[^]*Alarm[^]*a…@example\.org/u);

    const silence = await addSilence(lab, {
      cause: 'tls-intercepted',
      duration: '2h',
      by: 'Ada',
      comment: 'It is being fixed',
    });
    await page.locator('.answers', { hasText: 'Silenced by' }).waitFor();
    const silences = page.locator('section', { has: page.locator('#silences-title') });
    expect(await silences.innerText()).toMatch(
      /It is being fixed\s+By local \(claimed: Ada\); ends [^(]+ \(in (?:2 h|1 h 59 min)\)/u,
    );
    expect(await silences.locator('code[data-copy]').allInnerTexts()).toEqual([
      expect.stringContaining(`ftm-watch silence remove ${silence}`),
    ]);
    await unfoldAll(page);
    expect(seriousOf(await audit(page))).toEqual([]);
    const removed = await askSocket(socketOf(lab), { method: 'DELETE', path: `/api/v1/silences/${silence}` });
    expect(removed.status).toBe(204);

    await lab.inspect(false);
    await page.locator('#closed-incidents a[href^="incidents/"]').waitFor();
    await page.locator('#sent-notifications', { hasText: 'All-clear' }).waitFor({ state: 'attached' });
    await unfoldAll(page);
    expect(seriousOf(await audit(page))).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  test('shows a notification that has not arrived, without JavaScript, and still after a restart', async () => {
    lab.inbox.setFault('not-now');
    await lab.inspect(true);
    await undelivered(daemon);
    await daemon[Symbol.asyncDispose]();
    daemon = await watchLab(lab);
    await daemon.diagnosis(({ causes }) => causes.some(({ id }) => id === 'tls-intercepted'));

    await using plain = await openPage(browser, await daemon.page(), { javaScriptEnabled: false, ...PHONE });
    const notifications = await plain.page.locator('.notifications').innerText();
    lab.inbox.setFault('none');

    // Until the firewall has responded again, the cause that it explains is listed alone. That can be reported as a
    // change.
    expect(notifications).toMatch(
      /Notifications [12] not delivered\s+(?:Change tls-intercepted [^]*)?Alarm (?:tls-intercepted|policy-inspects-traffic)/u,
    );
    expect(notifications).toMatch(
      /Waiting by email to a…@example\.org, .*\d\d:\d\d:\d\d, tried (?:once|\d+ times): \S+ 4\d\d /u,
    );
    expect(await plain.page.locator('#sent-notifications').innerText()).toContain('Sent recently: ');
    expect(await plain.page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  });
});

function socketOf({ folder }: Lab): string {
  return join(folder, 'data/ftm-watch.sqlite.sock');
}

/** Returns the name of the silence. */
async function addSilence(lab: Lab, silence: Readonly<Record<string, string>>): Promise<string> {
  const headers = { 'Content-Type': 'application/json' };
  const { status, text } = await askSocket(socketOf(lab), {
    method: 'POST',
    path: '/api/v1/silences',
    headers,
    body: JSON.stringify(silence),
  });
  expect(status).toBe(201);
  return (JSON.parse(text) as { readonly id: string }).id;
}

/** Waits until delivery of a notification was attempted and failed. */
async function undelivered(daemon: DaemonProcess): Promise<void> {
  const seen = async (): Promise<boolean> => {
    const { notifications } = (await (await daemon.fetch('api/v1/notifications')).json()) as {
      readonly notifications: readonly { readonly status: string; readonly attempts: number }[];
    };
    return notifications.some(({ status, attempts }) => status === 'pending' && attempts > 0);
  };
  await daemon.diagnosis(({ causes }) => causes.length > 0);
  await expect.poll(seen, { timeout: 10_000 }).toBe(true);
}

async function unfoldAll(page: Page): Promise<void> {
  await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
}
