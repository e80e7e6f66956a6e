import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../src/core/time-text.ts';
import { incidentStory, incidentTitle } from '../../../src/document/incident-story.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, START } from '../../support/store/incident-timeline.ts';
import {
  formerCauseOf,
  incidentNotificationOf,
  incidentOf,
  outboxEntryOf,
} from '../../support/notify/outbox-entry-of.ts';
import { loginOf, startWeb } from '../../support/web/web-bench.ts';

const CAUSE = causeOf('tls-intercepted', {
  subject: '<b>host</b>:443',
  summary: 'TLS to *host* is [intercepted](https://evil.example)',
  evidence: ['# It says "no"', '<script>alert(1)</script>'],
});
const OPEN = incidentOf(CAUSE);
const OVER: Incident = { ...OPEN, status: 'closed', closedAt: START + 10 * MINUTE };
const NEW_ROUTES = [
  '/incidents.atom',
  `/incidents/${OPEN.id}.md`,
  '/badge.svg',
  '/badge.json',
  '/api/v1/availability.csv',
];

const PERIODS = [
  { name: '2026', from: START - HOUR, until: START, ready: 2_999_900, notReady: 100, unknown: 600_000, partial: true },
  { name: '2026-11', from: START - HOUR, until: START, ready: 0, notReady: 0, unknown: HOUR, partial: false },
];

describe('the new routes', () => {
  test.each(NEW_ROUTES)('%s needs a login where the page does, and is not for the role "metrics"', async (path) => {
    await using web = await startWeb({ users: ['metrics', 'read'], state: { incidents: [OPEN] } });
    expect(await web.status(path)).toBe(401);
    expect(await web.status(path, loginOf('metrics'))).toBe(403);
    const answer = await web.get(path, loginOf('read'));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(await web.status(path, { method: 'POST', ...loginOf('read') })).toBe(405);
  });
});

describe('GET /incidents.atom', () => {
  test('is found from the list, and is not sent again until something changes', async () => {
    await using web = await startWeb({ state: { incidents: [OPEN], publicUrl: 'https://ftm.example.org' } });
    const page = await web.text('/incidents');
    expect(page).toContain(
      '<link rel="alternate" type="application/atom+xml" title="Incidents" href="incidents.atom">',
    );
    const first = await web.get('/incidents.atom');
    expect(first.headers.get('Content-Type')).toBe('application/atom+xml; charset=utf-8');
    expect(first.headers.get('Cache-Control')).toBe('no-cache');
    expect(await first.text()).toContain(`href="https://ftm.example.org/incidents/${OPEN.id}"`);
    const again = { headers: { 'If-None-Match': first.headers.get('ETag') ?? '' } };
    expect(await web.status('/incidents.atom', again)).toBe(304);
    web.state.incidents = [{ ...OPEN, lastSeen: OPEN.lastSeen + MINUTE }];
    expect(await web.status('/incidents.atom', again)).toBe(304);
    web.state.incidents = [OVER];
    expect(await web.status('/incidents.atom', again)).toBe(200);
  });

  test('has at most 50 incidents', async () => {
    const incidents = Array.from({ length: 60 }, (_, index) => ({ ...OVER, id: `i-${String(index)}` }));
    await using web = await startWeb({ state: { incidents } });
    expect((await web.text('/incidents.atom')).split('<entry>')).toHaveLength(51);
  });
});

describe('the badge', () => {
  test('says the same as picture and as JSON, and when rounds have stopped', async () => {
    const clock = handClock(START);
    await using web = await startWeb({
      clock,
      state: { site: 'h&q', diagnosis: diagnosisOf(START, [CAUSE]), knownFor: 10 * MINUTE },
    });
    const badge = async (): Promise<unknown> => (await web.get('/badge.json')).json();
    expect(await badge()).toEqual({ schemaVersion: 1, label: 'FTM h&q', message: 'not ready', color: 'red' });
    const image = await web.get('/badge.svg');
    expect(image.headers.get('Content-Type')).toBe('image/svg+xml; charset=utf-8');
    expect(image.headers.get('Cache-Control')).toBe('no-store');
    expect(await image.text()).toMatch(
      /role="img" aria-label="FTM h&amp;q: not ready"><title>FTM h&amp;q: not ready</u,
    );
    clock.step(10 * MINUTE + 1);
    expect(await badge()).toMatchObject({ message: 'unknown', color: 'lightgrey' });
    expect(await web.text('/badge.svg')).toContain('aria-label="FTM h&amp;q: unknown"');
  });

  test('can be embedded in pages of the same site alone, and nothing else can', async () => {
    await using web = await startWeb({ state: { incidents: [OPEN] } });
    for (const path of NEW_ROUTES)
      expect((await web.get(path)).headers.get('Cross-Origin-Resource-Policy')).toBe(
        path === '/badge.svg' ? 'same-site' : 'same-origin',
      );
  });
});

describe('the availability', () => {
  test('is on the page and in the CSV file, rounded down', async () => {
    await using web = await startWeb({ state: { availability: PERIODS, timezone: 'Europe/Berlin' } });
    const csv = await web.get('/api/v1/availability.csv');
    expect(csv.headers.get('Content-Disposition')).toBe('attachment; filename="ftm-watch-availability.csv"');
    expect((await csv.text()).split('\r\n')).toEqual([
      'period,from,until,availabilityPercent,readySeconds,notReadySeconds,unknownSeconds,partial',
      '2026,2026-11-24T12:00:00.000Z,2026-11-24T13:00:00.000Z,99.9966,2999.9,0.1,600,true',
      '2026-11,2026-11-24T12:00:00.000Z,2026-11-24T13:00:00.000Z,,0,0,3600,false',
      '',
    ]);
    const page = (await web.text('/incidents')).replaceAll(/<[^>]+>/gu, ' ').replaceAll(/\s+/gu, ' ');
    expect(page).toContain('Period Availability Not ready Unknown');
    expect(page).toContain('2026 from 2026-11-24 99.99 % 100 ms 10 min (16.7 %)');
    expect(page).toContain('2026-11 unknown never 1 h (100.0 %)');
    expect(page).toContain('as CSV');
  });

  test('is not invented where nothing is stored', async () => {
    await using web = await startWeb();
    expect(await web.text('/incidents')).toContain('No data yet.');
    expect((await web.text('/api/v1/availability.csv')).split('\r\n')).toHaveLength(2);
  });
});

describe('GET /incidents/:id.md', () => {
  test('tells what the page tells, with hostile text as text', async () => {
    const incident: Incident = {
      ...OVER,
      openingEvidence: ['It was `seen`'],
      formerCauses: [formerCauseOf('clock-skewed', START + MINUTE)],
    };
    const where = { address: null, incident: incident.id, cause: null, subject: null };
    const change = {
      at: START + 2 * MINUTE,
      action: 'comment',
      account: 'ada',
      ...where,
      detail: 'Case <42>',
    } as const;
    const firing = incidentNotificationOf(incident);
    await using web = await startWeb({
      state: {
        incidents: [incident],
        changes: [change],
        omittedChanges: 3,
        outboxEntries: [outboxEntryOf(firing, { status: 'sent', finishedAt: START + MINUTE })],
        publicUrl: 'https://ftm.example.org/',
      },
    });
    const page = await web.text(`/incidents/${incident.id}`);
    expect(page).toContain(`href="../incidents/${incident.id}.md"`);
    const answer = await web.get(`/incidents/${incident.id}.md`);
    expect(answer.headers.get('Content-Type')).toBe('text/markdown; charset=utf-8');
    const lines = (await answer.text()).split('\n');
    const story = incidentStory({ incident, changes: [change], omittedChanges: 3, complete: true }, [], isoTime);
    const titles = ['Incident', 'Reported fault', 'Reported impact', ...story.map(({ title }) => title)];
    expect(lines.filter((line) => line.startsWith('#'))).toEqual([
      `# ${incidentTitle(incident)}`,
      ...titles.map((title) => `## ${title}`),
    ]);
    for (const line of [
      String.raw`- Affected: \<b\>host\</b\>:443`,
      `- Incident: \`${incident.id}\``,
      `- Page: <https://ftm.example.org/incidents/${incident.id}>`,
      '- Runbook: <https://ftm.example.org/runbooks/tls-intercepted>',
      '“TLS to \\*host\\* is \\[intercepted\\](https:\u200B//evil.example)”',
      '- 2026-11-24 13:00:30 UTC: Alarm: sent by email to a…@\u200Bexample.org at 2026-11-24 13:01:00 UTC',
      String.raw`- 2026-11-24 13:02:00 UTC: Comment by ada: Case \<42\>`,
      String.raw`- \# It says "no"`,
      String.raw`- \<script\>alert(1)\</script\>`,
      '- It was \\`seen\\`',
      '1. Do this.',
    ])
      expect(lines).toContain(line);
  });

  test('says what is missing, and knows no other incident', async () => {
    await using web = await startWeb({ state: { incidents: [OPEN], complete: false } });
    const text = await web.text(`/incidents/${OPEN.id}.md`);
    expect(text).toContain('- Last seen: ');
    expect(text).toContain('history');
    expect(text).not.toMatch(/<http|Page|Runbook/u);
    for (const id of ['nothing.md', '.md', '%3Cscript%3E.md']) expect(await web.status(`/incidents/${id}`)).toBe(404);
  });
});
