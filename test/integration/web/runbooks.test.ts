import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { shippedRules } from '../../support/monitoring/alert-rules.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { startWeb } from '../../support/web/web-bench.ts';

function idsOf(page: string): readonly string[] {
  return [...page.matchAll(/ id="([^"]+)"/gu)].map(([, id = '']) => id);
}

function linksOf(page: string): readonly string[] {
  const [, main = ''] = /<main[^>]*>(.*)<\/main>/su.exec(page) ?? [];
  return [...main.matchAll(/<a href="(?!https:)([^"]+)"/gu)].map(([, path = '']) => path);
}

test('lists the runbook of each cause, and every link on every page leads to a page and its heading', async () => {
  await using web = await startWeb();
  const list = await web.text('/runbooks');
  expect(linksOf(list)).toEqual(expect.arrayContaining(CAUSE_IDS.map((id) => `runbooks/${id}`)));
  const names = readdirSync('src/web/runbooks').map((file) => file.replace(/\.html$/u, ''));
  const pages = new Map<string, string>();
  for (const name of names.filter((one) => one !== 'index')) pages.set(name, await web.text(`/runbooks/${name}`));
  const links = [
    ...linksOf(list).map((path) => path.replace('runbooks/', '')),
    ...[...pages.values()].flatMap((page) => linksOf(page)),
  ];
  for (const link of new Set(links)) {
    const [name = '', anchor] = link.split('#');
    const page = pages.get(name);
    expect([link, page !== undefined && (anchor === undefined || idsOf(page).includes(anchor))]).toEqual([link, true]);
  }
});

test('the page of the alerts has a heading for each alert', async () => {
  await using web = await startWeb();
  const page = await web.text('/runbooks/alerts');
  const alerts = shippedRules().flatMap(({ annotations = {} }) => annotations['runbook']?.split('#')[1] ?? []);
  const headings = [...page.matchAll(/<h2 id="([^"]+)">/gu)].map(([, id]) => id);
  expect(headings.length).toBeGreaterThan(5);
  expect(new Set(headings)).toEqual(new Set(alerts));
});

test('links to the incident from which it was opened, otherwise to the open incidents with the cause', async () => {
  const causes = [
    causeOf('mail-unreachable', { subject: 'mx' }),
    causeOf('name-not-found', { subject: '<b>host</b>' }),
  ];
  const { incidents } = timeline({ maxPerHour: 100 }).rounds(2, causes).state;
  const mail = incidents.find(({ cause }) => cause.id === 'mail-unreachable');
  const name = incidents.find(({ cause }) => cause.id === 'name-not-found');
  if (mail === undefined || name === undefined) throw new Error('Two incidents were to open');
  const ended: Incident = { ...name, status: 'closed', closedAt: name.openedAt };
  await using web = await startWeb({ state: { incidents: [mail, ended] } });
  const linked = async (path: string): Promise<readonly string[]> =>
    linksOf(await web.text(path)).filter((link) => link.startsWith('../incidents/'));
  expect(await linked('/runbooks/mail-unreachable')).toEqual([`../incidents/${mail.id}`]);
  expect(await linked('/runbooks/name-not-found')).toEqual([]);
  expect(await linked(`/runbooks/name-not-found?incident=${ended.id}`)).toEqual([`../incidents/${ended.id}`]);
  expect(await linked('/runbooks/name-not-found?incident=%22%3E')).toEqual([]);
  expect(await web.text(`/runbooks/name-not-found?incident=${ended.id}`)).not.toContain('<b>host');
  expect(await web.text(`/incidents/${ended.id}`)).toContain(`runbooks/name-not-found?incident=${ended.id}"`);
});

test('asks for nothing but what is there, wherever a proxy puts it', async () => {
  await using web = await startWeb();
  const page = await web.text('/runbooks/tls-intercepted');
  const links = [...page.matchAll(/(?:src|href)="(?!https:)([^"#]+)[^"]*"/gu)].map(([, path]) => path ?? '');
  expect(new Set(links)).toEqual(
    new Set([
      '../static/icon-unknown.svg',
      '../static/style.css',
      '../static/runbooks.js',
      '../',
      '../incidents',
      '../runbooks',
      'procedures',
    ]),
  );
  for (const link of links) expect(await web.status(`/runbooks/${link}`)).toBe(200);
  expect(page).toContain('data-copy');
  expect(page).not.toMatch(/<form/u);
});

test.each(['nonsense', '__proto__', 'constructor', 'tls-intercepted.md', '..%2f', '%00', ''])(
  'has none for "%s"',
  async (cause) => {
    await using web = await startWeb();
    const response = await web.get(`/runbooks/${cause}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/u);
  },
);

test('only shows: nothing can be sent to it', async () => {
  await using web = await startWeb();
  expect(await web.status('/runbooks/tls-intercepted', { method: 'POST' })).toBe(405);
});
