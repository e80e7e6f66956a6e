import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import type { WebConfig } from '../../src/config/schema/web.ts';
import { exposureNotes } from '../../src/web/access.ts';
import { openPort } from '../../src/web/listen.ts';
import { parsePasswordHash } from '../../src/web/password-hash.ts';
import { handClock } from '../support/time/hand-clock.ts';
import { incidentOf } from '../support/notify/outbox-entry-of.ts';
import { START } from '../support/store/incident-timeline.ts';
import { startWeb, webConfig, type WebBenchOptions } from '../support/web/web-bench.ts';
import { expectRecorded, outline } from './recorded.ts';

const incident = incidentOf();
const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };
const TOKEN = { kind: 'env', name: 'TOKEN' } as const;
const SECRET = { Authorization: 'Bearer secret' };

function post(body: unknown, headers: Readonly<Record<string, string>> = JSON_TYPE): RequestInit {
  return { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers };
}

type Asked = readonly [path: string, init?: RequestInit];

/** Requests that a page without accounts, with one, and with two lesser roles refuses. */
const REQUESTS: Readonly<Record<string, readonly [WebBenchOptions, readonly Asked[]]>> = {
  'without accounts': [
    {},
    [
      ['/-/reload', post('')],
      ['/nowhere'],
      ['/', { method: 'PUT' }],
      ['/api/v1/history?range=1y'],
      ['/api/v1/history?from=1'],
      ['/api/v1/status'],
      ['/probe'],
      ['/probe?target=a.test&module=smoke'],
      ['/probe?target=a.test', { headers: { 'X-Prometheus-Scrape-Timeout-Seconds': 'soon' } }],
      ['/probe?target=a.test', { headers: { 'User-Agent': 'Mozilla/5.0 Firefox/140.0' } }],
      ['/probe?target=a.test', { headers: { Referer: 'http://evil.example/' } }],
      ['/probe?target=a.test'],
      ['/incidents/none'],
      ['/incidents/none.md'],
      ['/runbooks/none'],
      ['/api/v1/audit?before=x&incident=1'],
      ['/api/v1/audit?page=2'],
      ['/api/v1/incidents?cause=none&state=half&from=then'],
    ],
  ],
  'with an account': [
    {
      account: 'ops',
      state: { incidents: [incident, { ...incident, id: 'over', status: 'closed', closedAt: START }] },
    },
    [
      ['/api/v1/silences', post('{}', { 'Content-Type': 'text/plain' })],
      ['/api/v1/silences', post('[]')],
      ['/api/v1/silences', post({})],
      ['/api/v1/silences', post({ cause: 'tls-intercept', subject: 'a\nb', duration: 2, comment: '', colour: 'red' })],
      ['/api/v1/silences', post({ duration: 'soon', comment: 'c' })],
      ['/api/v1/silences', post({ until: '2026-11-24T12:00:00Z', comment: 'c' })],
      ['/api/v1/silences', post({ from: '2026-11-25T00:00:00Z', until: '2026-11-24T18:00:00Z', comment: 'c' })],
      ['/api/v1/silences', post({ duration: '91d', comment: 'c' })],
      ['/api/v1/silences/none', { method: 'DELETE' }],
      [`/incidents/${incident.id}/acknowledge`, post('', JSON_TYPE)],
      [`/incidents/${incident.id}/comment`, post('', FORM_TYPE)],
      [`/incidents/over/acknowledge`, post('', FORM_TYPE)],
      [`/api/v1/incidents/none/capture`, post('{}')],
      [`/api/v1/incidents/${incident.id}/capture`, post('{}')],
      ['/-/reload', post('', { Origin: 'http://evil.example' })],
    ],
  ],
  'with a wrong login': [{ account: 'ops' }, [['/', { headers: { Authorization: 'Bearer wrong' } }]]],
  'for a reader': [
    { config: { tokens: [{ name: 'ro', token: TOKEN, role: 'read' }] }, env: { TOKEN: 'secret' } },
    [['/-/reload', post('', SECRET)]],
  ],
  'for a scraper': [
    { config: { tokens: [{ name: 'prom', token: TOKEN, role: 'metrics' }] }, env: { TOKEN: 'secret' } },
    [['/', { headers: SECRET }]],
  ],
};

test('what the status page answers to requests that it refuses', async () => {
  const told: [string, string][] = [];
  for (const [place, [options, requests]] of Object.entries(REQUESTS)) {
    await using web = await startWeb({ clock: handClock(START), ...options });
    for (const [path, init] of requests) {
      const response = await web.get(path, init);
      const text = await response.text();
      expect([path, response.status >= 400]).toEqual([path, true]);
      const shown = text.startsWith('<')
        ? (/<section class="own".*?<\/section>/su.exec(text)?.[0] ?? '')
        : text.startsWith('{')
          ? outline(JSON.parse(text))
          : text;
      const body = typeof init?.body === 'string' && init.body !== '' ? ` ${init.body}` : '';
      told.push([
        `${place}: ${init?.method ?? 'GET'} ${path}${body}${init?.headers === undefined ? '' : ` ${JSON.stringify(init.headers)}`}`,
        `${String(response.status)}\n${shown
          .replaceAll(/<[^>]*>/gu, ' ')
          .replaceAll(hostname(), 'HOST')
          .trim()}`,
      ]);
    }
  }
  await expectRecorded('web', Object.fromEntries(told));
});

/** What is said at the start. */
const CONFIGURATIONS: Readonly<Record<string, Partial<WebConfig>>> = {
  'open without users': { listen: { address: '0.0.0.0', port: 9843 } },
  'open with a token and without TLS': {
    listen: { address: '0.0.0.0', port: 9843 },
    tokens: [{ name: 'ops', token: TOKEN, role: 'read' }],
  },
  'reloads for everybody': { localReload: true },
};

const HASHES = [
  'hunter2',
  'ops:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  '$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  `$scrypt$ln=20,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(43)}`,
];

test('what is said when the page starts', async () => {
  const notes = Object.entries(CONFIGURATIONS).map(
    ([name, config]) => [name, exposureNotes(webConfig(config)).join('\n')] as const,
  );
  const ports = ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'EWHATEVER'].map(async (code) => {
    const error = Object.assign(new Error('something odd'), { code });
    const opened = openPort({ address: '::1', port: 80 }, () => Promise.reject(error));
    return [code, await opened.then(String, ({ message }: Error) => message)] as const;
  });
  const hashes = HASHES.map((hash) => [`hash ${hash}`, messageOf(() => parsePasswordHash(hash))] as const);
  await expectRecorded('web-start', Object.fromEntries([...notes, ...(await Promise.all(ports)), ...hashes]));
});

function messageOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}
