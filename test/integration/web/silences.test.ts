import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../src/engine/incident/incident.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';

const PATH = '/api/v1/silences';
const ABOUT = { cause: 'tls-intercepted', subject: 'license.example.test:443', comment: 'Exemption is on its way' };
const ASKED = { ...ABOUT, by: 'Ada', duration: '2h' };
const ALL = { by: 'Ada', comment: 'x' };

const SILENCE: Silence = {
  id: 'silence-1',
  cause: null,
  subject: null,
  from: START,
  until: START + HOUR,
  by: 'Ada',
  comment: 'Moving house',
};

function start(silences: readonly Silence[] = []): Promise<WebBench> {
  return startWeb({ account: 'ops', state: { silences }, clock: handClock(START) });
}

function iso(offset: number): string {
  return new Date(START + offset).toISOString();
}

async function added(web: WebBench, asked: object): Promise<unknown> {
  const response = await web.post(PATH, asked);
  expect(response.status).toBe(201);
  return response.json();
}

describe('POST /api/v1/silences', () => {
  test('adds a silence, by cause and subject and for a while', async () => {
    await using web = await start();
    const times = { from: iso(0), until: iso(2 * HOUR) };
    expect(await added(web, ASKED)).toEqual({ id: expect.any(String), ...ABOUT, ...times, planned: false, by: 'ops' });
    expect(web.state.silences.map(({ until }) => until)).toEqual([START + 2 * HOUR]);
    expect(web.log.join('')).toContain(ABOUT.comment);
  });

  test.each([
    ['later', { from: iso(HOUR), duration: '2h' }, { from: HOUR, until: 3 * HOUR, planned: true }],
    ['later, until a time', { from: iso(HOUR), until: iso(2 * HOUR) }, { from: HOUR, until: 2 * HOUR, planned: true }],
    [
      'from a time that has just passed',
      { from: iso(-HOUR), duration: '2h' },
      { from: 0, until: 2 * HOUR, planned: false },
    ],
    [
      'for everything, until a time in any zone',
      { until: iso(HOUR).replace('Z', '-02:00'), ...ALL, cause: undefined, subject: undefined },
      { from: 0, until: 3 * HOUR, planned: false, cause: null, subject: null },
    ],
  ])('adds one that begins %s', async (_, asked, { from, until, ...expected }) => {
    await using web = await start();
    const shown = { ...expected, from: iso(from), until: iso(until) };
    expect(await added(web, { ...ABOUT, ...asked })).toMatchObject(shown);
    expect(await web.json(PATH)).toMatchObject({ silences: [shown] });
    const [change] = web.state.changes;
    expect(change?.detail.includes(`planned from ${shown.from}`)).toBe(expected.planned);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', '{', ''],
    ['no object', '[1]', ''],
    ['nothing', {}, 'comment'],
    ['no end', ALL, 'until'],
    ['two ends', { ...ASKED, until: '2030-01-01T00:00:00Z' }, 'duration'],
    ['a duration that is none', { ...ASKED, duration: '2 hours' }, 'duration'],
    ['a duration that hides for good', { ...ASKED, duration: '91d' }, 'duration'],
    ['an end that hides for good', { ...ALL, until: '2037-01-01T00:00:00+01:00' }, 'until'],
    ['an end that is over', { ...ALL, until: '2001-01-01T00:00:00Z' }, 'until'],
    ['an end before its begin', { ...ALL, from: iso(2 * HOUR), until: iso(HOUR) }, 'until'],
    ['a begin that is none', { ...ASKED, from: 'tomorrow' }, 'from'],
    ['a begin in a year', { ...ASKED, from: '2027-12-01T00:00:00Z' }, 'duration'],
    ['a time without zone', { ...ALL, until: '2037-01-01T00:00' }, 'until'],
    ['an unknown cause', { ...ASKED, cause: 'tls-\u001bintercepted' }, 'cause'],
    ['a cause of the prototype', { ...ASKED, cause: 'toString' }, 'cause'],
    ['a comment of two lines', { ...ASKED, comment: 'a\r\nBcc: b' }, 'comment'],
    ['a comment that is long', { ...ASKED, comment: 'x'.repeat(501) }, 'comment'],
    ['an unknown key', { ...ASKED, matchers: [] }, 'matchers'],
  ])('tells what is wrong with %s', async (_, body, field) => {
    await using web = await start();
    const response = await web.post(PATH, body);
    expect(response.status).toBe(400);
    const { problems } = (await response.json()) as { readonly problems: readonly string[] };
    expect(problems.map((problem) => /"([^"]*)"/u.exec(problem)?.[1] ?? '')).toEqual([field]);
    expect(problems.join('')).not.toContain('\u001b');
    expect(web.state.silences).toEqual([]);
  });

  test('is bounded in size and in number', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ ...SILENCE, id: `silence-${String(index)}` }));
    await using web = await start(many);
    expect((await web.post(PATH, { ...ASKED, comment: 'x'.repeat(5_000) })).status).toBe(413);
    expect((await web.post(PATH, ASKED)).status).toBe(409);
    expect(web.state.silences).toEqual(many);
  });
});

describe('GET and DELETE /api/v1/silences', () => {
  test('tell when notifications wait by plan', async () => {
    await using web = await startWeb();
    expect(await web.json(PATH)).toEqual({ silences: [], maintenance: { until: null, next: null } });
    const [from, until] = ['2026-11-29T02:00:00.000Z', '2026-11-29T04:00:00.000Z'];
    const end = Date.parse(until);
    web.state.maintenance = { until: end, next: { from: Date.parse(from), until: end } };
    expect(await web.json(PATH)).toMatchObject({ maintenance: { until, next: { from, until } } });
  });

  test('list those that last, and remove one', async () => {
    await using web = await start([{ ...SILENCE, id: 'silence-0', until: START }, SILENCE]);
    const { id, cause, comment } = SILENCE;
    expect(await web.json(PATH)).toMatchObject({ silences: [{ id, cause, comment }] });
    expect(await web.status(`${PATH}/${id}`, { method: 'DELETE' })).toBe(204);
    expect(await web.json(PATH)).toMatchObject({ silences: [] });
  });

  test('say that there is none', async () => {
    await using web = await start([SILENCE]);
    const nothing = await web.get(`${PATH}/no%1B`, { method: 'DELETE' });
    expect([nothing.status, await nothing.json()]).toEqual([404, { error: expect.stringContaining('no\\u{1B}') }]);
    expect(web.state.silences).toEqual([SILENCE]);
  });
});
