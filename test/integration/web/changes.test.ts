import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import { guard } from '../../../src/web/access.ts';
import type { WebEnv } from '../../../src/web/sources.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { sourcesOf, webState } from '../../support/web/web-sources.ts';
import { startWeb } from '../../support/web/web-bench.ts';

/** All routes that change something, as listed in docs/web.md. A test compares that list with the program. */
const CHANGES = [
  ...readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8').matchAll(/^\| `(POST|DELETE) (\S+)` \|/gmu),
].flatMap(([, method = '', path = '']) => {
  const actions = path.includes(':action') ? ['acknowledge', 'unacknowledge', 'silence', 'comment'] : [''];
  return actions.map((action) => ({ method, path: path.replace(':action', action).replace(':id', 'any') }));
});

describe('without an account', () => {
  test.each<[string, Partial<WebConfig>]>([
    ['as it is', {}],
    ['with "anonymous: read"', { anonymous: 'read' as const }],
    ['with "anonymous: metrics"', { anonymous: 'metrics' as const }],
    ['with "localReload", unless it is a reload', { localReload: true }],
  ])('nothing is changed over TCP, not even from this machine: %s', async (_, config) => {
    await using web = await startWeb({ config });
    expect(CHANGES.length).toBeGreaterThan(4);
    const changes = CHANGES.filter(({ path }) => config.localReload !== true || path !== '/-/reload');
    for (const { method, path } of changes) {
      const headers = { 'Content-Type': 'application/json' };
      const body = JSON.stringify({ duration: '2h', by: 'The CISO', comment: 'x' });
      const refused = await web.get(path, { method, headers, body });
      expect([path, refused.status]).toEqual([path, 403]);
      const text = await refused.text();
      expect(text).toContain('ftm-watch reload');
      expect(text).toContain(
        '--unix-socket /var/lib/ftm-watch/ftm-watch.sqlite.sock -X POST http://localhost/-/reload',
      );
    }
    expect([web.state.silences, web.state.reloads, web.state.changes]).toEqual([[], 0, []]);
    expect(new Set(web.state.refusals.map(({ refused }) => refused))).toEqual(new Set(['account']));
  });

  test('has the role "read" for every client without a login, whatever it asks', async () => {
    const callers = async (access: Parameters<typeof guard>[0]['access']): Promise<readonly string[]> => {
      const app = new Hono<WebEnv>();
      const limited = { changeLimit: () => true, sources: sourcesOf(webState()), clock: handClock(START) };
      app.use(...guard({ access, ...limited, logger: pino({ level: 'silent' }) }));
      app.all('*', (context) => context.text(context.get('caller').role));
      const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
      const headers = { Host: 'localhost' };
      const answers = [
        new Request('http://localhost/', { headers }),
        new Request('http://localhost/-/reload', { method: 'POST', headers }),
      ];
      return Promise.all(answers.map(async (asked) => (await app.request(asked, {}, env)).text()));
    };
    const network = { kind: 'network', identify: null, hasAccounts: false, opensMetrics: false, hosts: [] } as const;
    expect(await callers({ ...network, localReload: false, tls: false })).toEqual(['read', 'read']);
    expect(await callers({ kind: 'socket' })).toEqual(['change', 'change']);
  });

  test('the page of an incident says so instead of offering it', async () => {
    await using web = await startWeb({ state: { incidents: [incidentOf()] } });
    const page = await web.text(`/incidents/${incidentOf().id}`);
    expect(page).not.toContain('<form');
    expect(page).toContain('ftm-watch silence add');
  });
});

test('nothing is changed any more when it could no longer be stored', async () => {
  await using web = await startWeb({ account: 'ops', state: { isClosed: true, incidents: [incidentOf()] } });
  for (const { method, path } of CHANGES) {
    const isForm = path.startsWith('/incidents/');
    const asked = {
      method,
      headers: isForm
        ? { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' }
        : { 'Content-Type': 'application/json' },
      ...(method === 'POST' ? { body: isForm ? 'duration=2h&comment=x' : '{"duration":"2h","comment":"x"}' } : {}),
    };
    expect([path, await web.status(path.replace('any', incidentOf().id), asked)]).toEqual([path, 503]);
  }
  expect([web.state.silences, web.state.reloads, web.state.changes]).toEqual([[], 0, []]);
});
