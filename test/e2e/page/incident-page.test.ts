import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { headline } from '../../../src/checks/headline.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { REMEDY_WHEN_OVER, silenceCommand } from '../../../src/document/incident-story.ts';
import { capital } from '../../../src/engine/words.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { launchBrowser, openPage } from '../../support/web/browser.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, START, timeline } from '../../support/store/incident-timeline.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { loginOf, startWeb, type WebBench } from '../../support/web/web-bench.ts';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;
const DAY = 24 * HOUR;
const AVAILABILITY = ['2026', '2026-11', '2026-10'].map((name) => ({
  name,
  from: START - 30 * DAY,
  until: START,
  ready: 29 * DAY,
  notReady: 5 * HOUR,
  unknown: 19 * HOUR,
  partial: true,
}));
const LOGIN = { httpCredentials: { username: 'ada', password: 'secret' } } as const;

describeWhere([{ program: 'chromium' }], 'the pages of incidents', () => {
  let web: WebBench;
  let browser: Browser;
  let incident: Incident;

  beforeAll(async () => {
    browser = await launchBrowser();
    const hash = await hashPassword('secret', { ln: 4, r: 8, p: 1 });
    const { incidents } = timeline().rounds(2, [causeOf('tls-intercepted')]).state;
    const [first] = incidents;
    if (first === undefined) throw new Error('An incident was to open');
    incident = first;
    web = await startWeb({
      users: ['read'],
      config: { users: [{ name: 'ada', passwordHash: { kind: 'env', name: 'HASH' }, role: 'change' }] },
      env: { HASH: hash },
      state: { incidents, availability: AVAILABILITY },
    });
  });

  afterAll(async () => {
    await browser.close();
    await web[Symbol.asyncDispose]();
  });

  afterEach(() => {
    web.state.incidents = [incident];
    web.state.changes = [];
    web.state.silences = [];
  });

  /** Opens the page as a link in a mail does. */
  function open(options: BrowserContextOptions): ReturnType<typeof openPage> {
    return openPage(browser, `http://127.0.0.1:${String(web.port)}/incidents/${incident.id}`, { ...LOGIN, ...options });
  }

  test.each([true, false])(
    'silences, acknowledges and comments from a phone that has only the mail, JavaScript: %s',
    async (javaScriptEnabled) => {
      await using opened = await open({ ...PHONE, javaScriptEnabled });
      const { page } = opened;
      await page.locator('form[action$="/silence"] [name=comment]').fill('Being fixed');
      await send(page, 'Silence');
      expect(web.state.silences).toMatchObject([{ cause: 'tls-intercepted', comment: 'Being fixed', by: 'ada' }]);

      await send(page, 'Acknowledge');
      expect(await page.locator('main').innerText()).toContain('Acknowledged by ada');
      await send(page, 'Withdraw the acknowledgement');

      await page.locator('form[action$="/comment"] [name=comment]').fill('Case 42');
      await send(page, 'Comment');
      expect(await page.locator('#timeline').innerText()).toMatch(/Comment by ada from 127\.0\.0\.1: Case 42/u);
      expect(new URL(page.url()).pathname).toBe(`/incidents/${incident.id}`);
      expect(opened.complaints).toEqual([]);
    },
  );

  test('notices a comment and the end by itself, and leaves a form in which somebody types as it is', async () => {
    await using opened = await open({});
    const { page, complaints } = opened;
    const reason = page.locator('form[action$="/silence"] [name=comment]');
    await reason.fill('Firewall team');
    await page.locator('form[action$="/comment"] [name=comment]').fill('Half a sen');
    await reason.focus();
    await page.evaluate('document.activeElement.setSelectionRange(3, 3)');

    const comment = { at: START + 10_000, account: 'ben', address: null, cause: null, subject: null, incident: null };
    web.state.changes = [{ ...comment, action: 'comment', detail: 'Ticket 4711' }];
    await lookAgain(page);
    await page.getByText('Comment by ben: Ticket 4711').waitFor();
    expect(await typedIn(page)).toEqual(['Firewall team', 'Half a sen', 3]);

    web.state.incidents = [{ ...incident, status: 'closed', closedAt: START + HOUR }];
    await lookAgain(page);
    await page.locator('#head').getByText('Resolved', { exact: true }).waitFor();
    expect(await page.title()).toMatch(/^Resolved: /u);
    // Without a diagnosis.
    expect(await page.locator('#present a').innerText()).toBe('Starting');
    expect(await page.locator('main h2').allInnerTexts()).toEqual([
      'Timeline',
      'Evidence',
      REMEDY_WHEN_OVER,
      'Incident',
    ]);
    expect(await typedIn(page)).toEqual(['Firewall team', 'Half a sen', 3]);
    expect(await page.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
    // What was typed can still be sent.
    await send(page, 'Silence');
    expect(web.state.silences).toMatchObject([{ cause: 'tls-intercepted', comment: 'Firewall team' }]);
    expect(complaints).toEqual([]);
  });

  test('keeps a form in which somebody types when only the forms go, because the role has changed', async () => {
    await using opened = await open({});
    const { page, context } = opened;
    await page.locator('#silence [name=comment]').fill('Firewall team');
    await page.locator('#comment [name=comment]').fill('Half a sen');
    await context.setExtraHTTPHeaders(loginOf('read').headers);
    await lookAgain(page);
    await page.locator('#act', { hasText: 'Read-only' }).waitFor();
    expect(await page.locator('#silence [name=comment]').inputValue()).toBe('Firewall team');
    expect(await page.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
  });

  test('shows a phone what is broken and who can act, without scrolling', async () => {
    await using opened = await open({ viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true });
    for (const place of [opened.page.locator('h1'), opened.page.getByRole('button', { name: 'Acknowledge' })]) {
      const box = await place.boundingBox();
      expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(812);
    }
  });

  test('is read-only without accounts, says why, and shows the command', async () => {
    await using open = await startWeb({ state: { incidents: [incident] } });
    await using opened = await openPage(browser, `http://127.0.0.1:${String(open.port)}/incidents/${incident.id}`, {});
    const text = await opened.page.locator('#act').innerText();
    expect(text).toContain('web.users');
    expect(text).toContain(silenceCommand(incident.cause));
    expect(await opened.page.locator('form').count()).toBe(0);
    expect(seriousOf(await audit(opened.page))).toEqual([]);
  });

  test('refuses the form of a page of somebody else, although the browser knows the password', async () => {
    await using opened = await open({});
    const { page } = opened;
    const before = web.state.changes.length;
    await page.goto(
      `data:text/html,<form method=post action="http://127.0.0.1:${String(web.port)}/incidents/${incident.id}/comment">` +
        '<input name=comment value=evil><button>Win</button></form>',
    );
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByText('a different origin').waitFor();
    expect(web.state.changes).toHaveLength(before);
    expect(web.state.refusals[0]).toMatchObject({ refused: 'origin' });
  });

  test.each([
    { width: 1440, colorScheme: 'light' },
    { width: 900, colorScheme: 'dark' },
    { width: 390, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
  ] as const)('have no serious problem of accessibility, and nothing sticks out: $width $colorScheme', async (look) => {
    const { width, colorScheme } = look;
    await using opened = await open({ colorScheme, viewport: { width, height: 844 } });
    const { page } = opened;
    for (const path of [
      new URL(page.url()).pathname,
      '/incidents?state=open&cause=nonsense',
      '/changes?before=x',
      '/nothing',
    ]) {
      await page.goto(new URL(path, page.url()).href);
      const results = await audit(page);
      expect(results.passes.length).toBeGreaterThan(10);
      expect(seriousOf(results)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    }
  });

  test('lead from the list to the incident, and filter', async () => {
    await using opened = await open({ javaScriptEnabled: false });
    const { page } = opened;
    await page.getByRole('link', { name: 'Incidents' }).click();
    await page.getByLabel('State').selectOption('closed');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await page.locator('.list').count()).toBe(0);
    await page.getByRole('link', { name: 'All' }).click();
    await page.locator('.list a').click();
    expect(await page.locator('h1').innerText()).toBe(capital(headline(incident.cause)));
    await page.getByRole('link', { name: 'ftm-watch' }).click();
    expect(new URL(page.url()).pathname).toBe('/');
  });
});

/** As when the page becomes visible: the page asks for news at once. */
async function lookAgain(page: Page): Promise<void> {
  await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
}

/** What is typed into the forms, and where the cursor is. */
function typedIn(page: Page): Promise<readonly unknown[]> {
  return page.evaluate(`[
    document.querySelector('#silence [name=comment]').value,
    document.querySelector('#comment [name=comment]').value,
    document.activeElement.selectionStart,
  ]`);
}

async function send(page: Page, button: string): Promise<void> {
  const answered = page.waitForResponse(
    (response) => response.request().method() === 'GET' && response.status() === 200,
  );
  await page.getByRole('button', { name: button, exact: true }).click();
  await answered;
  await page.waitForLoadState();
}
