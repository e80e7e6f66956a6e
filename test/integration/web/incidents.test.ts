import { beforeAll, describe, expect, test } from 'vitest';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { zoneOf } from '../../../src/core/time-text.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, timeline } from '../../support/store/incident-timeline.ts';
import { incidentNotificationOf, outboxEntryOf } from '../../support/notify/outbox-entry-of.ts';
import { basicAuth, startWeb, type WebBench } from '../../support/web/web-bench.ts';

const CAUSES = [
  causeOf('tls-intercepted', { subject: '<b>host</b>:443' }),
  causeOf('mail-unreachable', { subject: '=cmd()', evidence: ['It answers "no", at all'] }),
];
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };

let hash = '';
beforeAll(async () => {
  hash = await hashPassword('secret', { ln: 4, r: 8, p: 1 });
});

function incidents(): readonly [Incident, Incident] {
  const [first, second] = timeline({ maxPerHour: 100 }).rounds(2, CAUSES).state.incidents;
  if (first === undefined || second === undefined) throw new Error('Two incidents were to open');
  return [first, second];
}

function start(users: readonly ('read' | 'change')[] = []): Promise<WebBench> {
  return startWeb({
    account: 'ops',
    config: { users: users.map((role) => ({ name: role, passwordHash: { kind: 'env', name: 'HASH' }, role })) },
    env: { HASH: hash },
    state: { incidents: incidents() },
  });
}

function post(web: WebBench, path: string, form: Readonly<Record<string, string>>, headers = {}): Promise<Response> {
  const body = new URLSearchParams(form).toString();
  return web.get(path, { method: 'POST', redirect: 'manual', headers: { ...FORM_TYPE, ...headers }, body });
}

describe('GET /incidents', () => {
  test.each([
    ['', ['tls-intercepted', 'mail-unreachable']],
    ['?cause=mail-unreachable', ['mail-unreachable']],
    ['?state=closed', []],
    ['?state=open&cause=&from=&until=', ['tls-intercepted', 'mail-unreachable']],
    ['?until=2026-11-23', []],
    ['?until=2026-11-24', ['tls-intercepted', 'mail-unreachable']],
    ['?from=2100-01-01', ['tls-intercepted', 'mail-unreachable']],
  ])('lists what fits "%s"', async (query, causes) => {
    await using web = await start();
    const page = await (await web.get(`/incidents${query}`)).text();
    const listed = [...page.matchAll(/<code class="tag">([\w-]+)</gu)].map(([, cause]) => cause);
    expect(new Set(listed)).toEqual(new Set(causes));
    expect(page).not.toContain('<b>host');
  });

  test('says which parameter it does not understand, and shows the rest', async () => {
    await using web = await start();
    const page = await (await web.get('/incidents?cause=nonsense&state=open')).text();
    expect(page).toContain('&quot;cause&quot;: expected a cause such as &quot;tls-intercepted&quot;, got');
    expect(page).toContain('<option value="open" selected>');
  });

  test('exports the same as JSON and CSV, where a formula stays a text', async () => {
    await using web = await start();
    const json = (await (await web.get('/api/v1/incidents?cause=mail-unreachable')).json()) as object;
    expect(json).toMatchObject({ incidents: [{ cause: 'mail-unreachable', acknowledgement: null }], more: false });
    const csv = await web.get('/api/v1/incidents.csv?cause=mail-unreachable');
    expect(csv.headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
    const [names, row] = (await csv.text()).split('\r\n');
    expect(names).toMatch(/^id,status,cause,subject,/u);
    expect(row).toMatch(/,open,mail-unreachable,"'=cmd\(\)",critical,/u);
    expect((await web.get('/api/v1/incidents.csv?state=nonsense')).status).toBe(400);
  });

  test.each([
    ['sate=open', '"sate": unknown parameter, expected one of cause, state, from, until'],
    ['state=open&state=closed', '"state": expected one value, got 2'],
    ['from=2026-02-31', '"from": expected a day or a time such as "2026-11-24" or "2026-11-24T18:00:00Z", got '],
    ['until=2026-02-30T10:00:00Z', '"until": expected a day or a time '],
    ['until=2026-13-01', '"until": expected a day or a time '],
    ['until=2026-11-24T25:00:00Z', '"until": expected a day or a time '],
  ])('refuses "?%s" instead of an answer to another question', async (query, problem) => {
    await using web = await start();
    for (const path of ['/api/v1/incidents', '/api/v1/incidents.csv']) {
      const answer = await web.get(`${path}?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ problems: [expect.stringContaining(problem)] });
    }
  });

  test.each(['2028-02-29', '2026-11-24T18:00:00Z', '2026-11-24T18:00Z', '2026-11-24T18:00:00.5Z'])(
    'takes "%s" for a time',
    async (time) => {
      await using web = await start();
      expect((await web.get(`/api/v1/incidents?from=${time}`)).status).toBe(200);
    },
  );
});

describe('GET /incidents/:id', () => {
  test('tells the whole of it, and offers to act', async () => {
    await using web = await start();
    const [incident] = web.state.incidents;
    const page = await (await web.get(`/incidents/${incident?.id ?? ''}`)).text();
    for (const part of ['Timeline', 'What to do', 'Now', 'When it was confirmed', 'Acknowledge'])
      expect(page).toContain(part);
    expect(page).toContain('No notifications have been sent about this incident.');
    expect(page).toContain(`href="../runbooks/${incident?.cause.id ?? ''}"`);
    expect(page).not.toContain('<b>host');
  });

  test('tells who has been notified, and what a server replied', async () => {
    await using web = await start();
    const [incident] = incidents();
    const failed = { status: 'rejected', attempts: 1, detail: 'mx:25: 550 relay not permitted' } as const;
    web.state.outboxEntries = [outboxEntryOf(incidentNotificationOf(incident), failed)];
    const page = await (await web.get(`/incidents/${incident.id}`)).text();
    expect(page).toContain('<p class="reply">mx:25: 550 relay not permitted</p>');
    expect(page).not.toContain('No notifications have been sent');
  });

  test.each(['nothing', '%3Cscript%3E', '..%2f..%2f'])('does not know "%s"', async (id) => {
    await using web = await start();
    const answer = await web.get(`/incidents/${id}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('Content-Type')).toMatch(/^text\/plain/u);
    expect((await web.get(`/api/v1/incidents/${id}`)).status).toBe(404);
  });
});

describe('POST /incidents/:id', () => {
  test('acknowledges, and withdraws that', async () => {
    await using web = await start();
    const { id } = incidents()[0];
    const done = await post(web, `/incidents/${id}/acknowledge`, { by: 'Ada' });
    expect([done.status, done.headers.get('Location')]).toEqual([303, `../${id}`]);
    expect(web.state.incidents[0]?.acknowledgement?.by).toBe('ops');
    expect(web.state.changes[0]).toMatchObject({ action: 'acknowledge', incident: id });
    const page = await (await web.get(`/incidents/${id}`)).text();
    expect(page).toContain('Acknowledged by ops');
    expect((await post(web, `/incidents/${id}/unacknowledge`, {})).status).toBe(303);
    expect(web.state.incidents[0]?.acknowledgement).toBeNull();
  });

  test('silences its cause at its subject, and comments', async () => {
    await using web = await start();
    const { id, cause } = incidents()[0];
    expect((await post(web, `/incidents/${id}/silence`, { duration: '2h', comment: 'wait', by: '' })).status).toBe(303);
    expect(web.state.silences).toMatchObject([{ cause: cause.id, subject: cause.subject, comment: 'wait' }]);
    expect((await post(web, `/incidents/${id}/comment`, { comment: 'Case <b>42</b>' })).status).toBe(303);
    const page = await (await web.get(`/incidents/${id}`)).text();
    expect(page).toContain('Case &lt;b&gt;42&lt;/b&gt;');
    const other = await (await web.get(`/incidents/${incidents()[1].id}`)).text();
    expect(other).not.toContain('Case');
  });

  test("silences from a time in the site's zone on", async () => {
    await using web = await start();
    web.state.timezone = 'Europe/Berlin';
    const { id } = incidents()[0];
    const [tomorrow] = new Date(systemClock.now() + 24 * HOUR).toISOString().split('T');
    const form = { duration: '2h', comment: 'move', from: `${tomorrow ?? ''}T14:00` };
    expect((await post(web, `/incidents/${id}/silence`, form)).status).toBe(303);
    const from = zoneOf('Europe/Berlin').instant(form.from) ?? 0;
    expect(web.state.silences).toMatchObject([{ from, until: from + 2 * HOUR }]);
    const page = await (await web.get(`/incidents/${id}`)).text();
    expect(page).toContain('From (Europe/Berlin), now if empty <input name="from" type="datetime-local">');
  });

  test.each([
    ['comment', { comment: '' }, 'expected text'],
    ['comment', { comment: 'x'.repeat(501) }, '1 to 500 characters'],
    ['silence', { duration: 'nonsense', comment: 'x' }, 'expected a duration'],
    ['silence', { duration: '2h' }, 'expected text'],
    ['silence', { duration: '2h', comment: 'x', from: 'soon' }, 'expected a time such as'],
  ])('says what is wrong with a form: %s %j', async (action, form, problem) => {
    await using web = await start();
    const { id } = incidents()[0];
    const answer = await post(web, `/incidents/${id}/${action}`, form);
    expect(answer.status).toBe(400);
    const page = await answer.text();
    expect(page).toContain(problem);
    // Links lead to the same places as those on the page itself.
    expect(page).toContain(`action="../../incidents/${id}/comment"`);
    expect([web.state.silences, web.state.changes]).toEqual([[], []]);
  });

  test.each([
    ['another origin', { Origin: 'https://evil.example.org' }, 403],
    ['a page without an origin', { Origin: 'null' }, 403],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a form of another type', { 'Content-Type': 'text/plain' }, 415],
  ])('refuses what comes from %s', async (_what, headers, status) => {
    await using web = await start();
    const { id } = incidents()[0];
    for (const action of ['acknowledge', 'silence', 'comment']) {
      const answer = await post(web, `/incidents/${id}/${action}`, { duration: '2h', comment: 'x' }, headers);
      expect(answer.status).toBe(status);
    }
    expect(web.state.incidents[0]?.acknowledgement).toBeNull();
    expect(web.state.silences).toEqual([]);
  });

  test('is for the role "change", and offered to nobody else', async () => {
    await using web = await start(['read', 'change']);
    const path = `/incidents/${incidents()[0].id}`;
    expect((await post(web, `${path}/acknowledge`, {}, basicAuth('read', 'secret').headers)).status).toBe(403);
    expect(web.state.refusals[0]).toMatchObject({ action: 'acknowledge', refused: 'role', account: 'read' });
    const read = await (await web.get(path, basicAuth('read', 'secret'))).text();
    expect(read).not.toContain('<form');
    expect(read).toContain('this request requires the role');
    // The name is that of the account, whatever the form contains.
    expect((await post(web, `${path}/acknowledge`, { by: 'Eve' }, basicAuth('change', 'secret').headers)).status).toBe(
      303,
    );
    expect(web.state.incidents[0]?.acknowledgement?.by).toBe('change');
    expect((await post(web, `${path}/acknowledge`, {}, { Authorization: 'Bearer guess' })).status).toBe(401);
  });

  test('knows no other action, and no other incident', async () => {
    await using web = await start();
    expect((await post(web, `/incidents/${incidents()[0].id}/delete`, {})).status).toBe(404);
    expect((await post(web, '/incidents/nothing/acknowledge', {})).status).toBe(404);
  });
});
