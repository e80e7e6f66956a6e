import { describe, expect, test } from 'vitest';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { zoneOf } from '../../../src/core/time-text.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, START, timeline } from '../../support/store/incident-timeline.ts';
import { incidentNotificationOf, outboxEntryOf } from '../../support/notify/outbox-entry-of.ts';
import { loginOf, startWeb, type WebBench } from '../../support/web/web-bench.ts';

const CAUSES = [
  causeOf('tls-intercepted', { subject: '<b>host</b>:443' }),
  causeOf('mail-unreachable', { subject: '=cmd()', evidence: ['It answers "no", at all'] }),
];
const [INCIDENT, OTHER] = incidents();
const PAGE = `/incidents/${INCIDENT.id}`;

function incidents(): readonly [Incident, Incident] {
  const [first, second] = timeline({ maxPerHour: 100 }).rounds(2, CAUSES).state.incidents;
  if (first === undefined || second === undefined) throw new Error('Two incidents were to open');
  return [first, second];
}

function start(users: readonly ('read' | 'change')[] = []): Promise<WebBench> {
  return startWeb({ account: 'ops', users, state: { incidents: [INCIDENT, OTHER] } });
}

function post(web: WebBench, path: string, form: Readonly<Record<string, string>>, headers = {}): Promise<Response> {
  const body = new URLSearchParams(form).toString();
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return web.get(path, { method: 'POST', redirect: 'manual', headers: { ...type, ...headers }, body });
}

/** Sends a form of the incident's page. @returns the status */
async function act(web: WebBench, action: string, form: Readonly<Record<string, string>> = {}, headers = {}) {
  return (await post(web, `${PAGE}/${action}`, form, headers)).status;
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
    ['?cause=nonsense&state=open', ['tls-intercepted', 'mail-unreachable']],
  ])('lists what fits "%s", and says what it does not understand', async (query, causes) => {
    await using web = await start();
    const page = await web.text(`/incidents${query}`);
    const listed = [...page.matchAll(/<code class="tag">([\w-]+)</gu)].map(([, cause]) => cause);
    expect(new Set(listed)).toEqual(new Set(causes));
    expect(page).not.toContain('<b>host');
    expect(page.includes('<option value="open" selected>')).toBe(query.includes('state=open'));
    expect(page.includes('&quot;cause&quot;: ')).toBe(query.includes('nonsense'));
  });

  test('exports the same as JSON and CSV, where a formula stays a text', async () => {
    await using web = await start();
    const one = { cause: 'mail-unreachable', acknowledgement: null };
    expect(await web.json('/api/v1/incidents?cause=mail-unreachable')).toMatchObject({ incidents: [one], more: false });
    const csv = await web.get('/api/v1/incidents.csv?cause=mail-unreachable');
    expect(csv.headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
    const [names, row] = (await csv.text()).split('\r\n');
    expect(names).toMatch(/^id,status,cause,subject,/u);
    expect(row).toMatch(/,open,mail-unreachable,"'=cmd\(\)",critical,/u);
  });

  test.each([
    ['sate=open', '"sate": unknown parameter'],
    ['state=nonsense', '"state": '],
    ['state=open&state=closed', '"state": expected one value'],
    ['from=2026-02-31', '"from": '],
    ['until=2026-02-30T10:00:00Z', '"until": '],
    ['until=2026-13-01', '"until": '],
    ['until=2026-11-24T25:00:00Z', '"until": '],
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
      expect(await web.status(`/api/v1/incidents?from=${time}`)).toBe(200);
    },
  );
});

describe('GET /incidents/:id', () => {
  test('tells the whole of it, and offers to act', async () => {
    await using web = await start();
    const page = await web.text(PAGE);
    for (const part of ['Timeline', 'What to do', 'Evidence', 'Acknowledge']) expect(page).toContain(part);
    expect(page).toContain(`href="../runbooks/${INCIDENT.cause.id}?incident=${INCIDENT.id}"`);
    expect(page).not.toMatch(/<b>host/u);
  });

  test('tells who has been notified, and what a server replied', async () => {
    await using web = await start();
    const failed = { status: 'rejected', attempts: 1, detail: 'mx:25: 550 relay not permitted' } as const;
    web.state.outboxEntries = [outboxEntryOf(incidentNotificationOf(INCIDENT), failed)];
    expect(await web.text(PAGE)).toContain('550 relay not permitted');
  });

  test.each(['nothing', '%3Cscript%3E', '..%2f..%2f'])('does not know "%s"', async (id) => {
    await using web = await start();
    const answer = await web.get(`/incidents/${id}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('Content-Type')).toMatch(/^text\/plain/u);
    expect(await web.status(`/api/v1/incidents/${id}`)).toBe(404);
  });
});

describe('POST /incidents/:id', () => {
  test('acknowledges, and withdraws that', async () => {
    await using web = await start();
    const done = await post(web, `${PAGE}/acknowledge`, { by: 'Ada' });
    expect([done.status, done.headers.get('Location')]).toEqual([303, `../${INCIDENT.id}`]);
    expect(web.state.incidents[0]?.acknowledgement?.by).toBe('ops');
    expect(web.state.changes[0]).toMatchObject({ action: 'acknowledge', incident: INCIDENT.id });
    expect(await web.text(PAGE)).toContain(' by ops');
    expect(await act(web, 'unacknowledge')).toBe(303);
    expect(web.state.incidents[0]?.acknowledgement).toBeNull();
  });

  test('silences its cause at its subject, and comments', async () => {
    await using web = await start();
    const { id: cause, subject } = INCIDENT.cause;
    expect(await act(web, 'silence', { duration: '2h', comment: 'wait', by: '' })).toBe(303);
    expect(web.state.silences).toMatchObject([{ cause, subject, comment: 'wait' }]);
    expect(await act(web, 'comment', { comment: 'Case <b>42</b>' })).toBe(303);
    expect(await web.text(PAGE)).toContain('Case &lt;b&gt;42&lt;/b&gt;');
    expect(await web.text(`/incidents/${OTHER.id}`)).not.toContain('Case');
  });

  test("silences from a time in the site's zone on", async () => {
    await using web = await start();
    web.state.timezone = 'Europe/Berlin';
    const [tomorrow] = new Date(systemClock.now() + 24 * HOUR).toISOString().split('T');
    const local = `${tomorrow ?? ''}T14:00`;
    expect(await act(web, 'silence', { duration: '2h', comment: 'move', from: local })).toBe(303);
    const from = zoneOf('Europe/Berlin').instant(local) ?? 0;
    expect(web.state.silences).toMatchObject([{ from, until: from + 2 * HOUR }]);
    expect(await web.text(PAGE)).toMatch(/\(Europe\/Berlin\)[^<]*<input name="from" type="datetime-local">/u);
  });

  test.each([
    ['comment', { comment: '' }, 'comment'],
    ['comment', { comment: 'x'.repeat(501) }, 'comment'],
    ['silence', { duration: 'nonsense', comment: 'x' }, 'duration'],
    ['silence', { duration: '2h' }, 'comment'],
    ['silence', { duration: '2h', comment: 'x', from: 'soon' }, 'from'],
  ])('says what is wrong with a form: %s %j', async (action, form, field) => {
    await using web = await start();
    const answer = await post(web, `${PAGE}/${action}`, form);
    expect(answer.status).toBe(400);
    const page = await answer.text();
    expect(page).toContain(`&quot;${field}&quot;: expected`);
    // Links lead to the same places as those on the page itself.
    expect(page).toContain(`action="../..${PAGE}/comment"`);
    expect([web.state.silences, web.state.changes]).toEqual([[], []]);
  });

  test('is for the role "change", and offered to nobody else', async () => {
    await using web = await start(['read', 'change']);
    expect(await act(web, 'acknowledge', {}, loginOf('read').headers)).toBe(403);
    expect(web.state.refusals[0]).toMatchObject({ action: 'acknowledge', refused: 'role', account: 'read' });
    expect(await web.text(PAGE, loginOf('read'))).not.toContain('<form');
    // The name is that of the account, whatever the form contains.
    expect(await act(web, 'acknowledge', { by: 'Eve' }, loginOf('change').headers)).toBe(303);
    expect(web.state.incidents[0]?.acknowledgement?.by).toBe('change');
    expect(await act(web, 'acknowledge', {}, { Authorization: 'Bearer guess' })).toBe(401);
  });

  test('knows no other action, and no other incident', async () => {
    await using web = await start();
    expect(await act(web, 'delete')).toBe(404);
    expect((await post(web, '/incidents/nothing/acknowledge', {})).status).toBe(404);
  });
});

describe('the forms of the status page', () => {
  const both = { incidents: `${INCIDENT.id},${OTHER.id},unknown` };

  test('acknowledge several incidents in one request, and silence a cause everywhere', async () => {
    await using web = await start();
    const acknowledged = await post(web, '/incidents/acknowledge', both);
    expect([acknowledged.status, acknowledged.headers.get('Location')]).toEqual([303, '../']);
    expect(web.state.incidents.map(({ acknowledgement }) => acknowledgement?.by)).toEqual(['ops', 'ops']);
    expect(web.state.changes.map(({ incident }) => incident)).toEqual([OTHER.id, INCIDENT.id]);

    const form = { cause: 'tls-intercepted', duration: '2h', comment: 'moving' };
    expect((await post(web, '/incidents/silence', form)).status).toBe(303);
    expect(web.state.silences).toMatchObject([{ cause: 'tls-intercepted', subject: null, by: 'ops' }]);
  });

  test('change nothing without permission, from another origin, or if they are not filled in', async () => {
    await using web = await start(['read']);
    const statuses = [
      await post(web, '/incidents/acknowledge', both, loginOf('read').headers),
      await post(web, '/incidents/acknowledge', both, { Origin: 'https://evil.example' }),
      await post(web, '/incidents/acknowledge', {}),
      await post(web, '/incidents/acknowledge', { incidents: 'unknown' }),
      await post(web, '/incidents/silence', { cause: 'tls-intercepted' }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 400, 409, 400]);
    expect([web.state.changes, web.state.silences]).toEqual([[], []]);
  });

  test('are only on pages of those who may use them', async () => {
    await using web = await start(['read']);
    web.state.diagnosis = diagnosisOf(START, CAUSES);
    expect(await web.text('/')).toContain('action="incidents/acknowledge"');
    expect(await web.text('/', loginOf('read'))).not.toContain('<form');
  });
});
