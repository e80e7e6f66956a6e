import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../src/engine/incident/incident.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';

const ASKED = {
  cause: 'tls-intercepted',
  subject: 'license.example.test:443',
  duration: '2h',
  by: 'Ada',
  comment: 'Exemption is on its way',
};

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

function post(web: WebBench, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return web.get('/api/v1/silences', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe('POST /api/v1/silences', () => {
  test('adds a silence, by cause and subject and for a while', async () => {
    await using web = await start();

    const response = await post(web, ASKED);

    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      id: 'silence-1',
      cause: 'tls-intercepted',
      subject: 'license.example.test:443',
      from: new Date(START).toISOString(),
      until: new Date(START + 2 * HOUR).toISOString(),
      planned: false,
      by: 'ops',
      comment: 'Exemption is on its way',
    });
    expect(web.state.silences.map(({ until }) => until)).toEqual([START + 2 * HOUR]);
    expect(web.log.join('')).toContain('Exemption is on its way');
  });

  test.each([
    ['later', HOUR, { duration: '2h' }, { from: HOUR, until: 3 * HOUR, planned: true }],
    ['later, until a time', HOUR, { until: START + 2 * HOUR }, { from: HOUR, until: 2 * HOUR, planned: true }],
    ['from a time that has just passed', -HOUR, { duration: '2h' }, { from: 0, until: 2 * HOUR, planned: false }],
  ])('adds one that begins %s', async (_, from, end, expected) => {
    await using web = await start();
    const { until, ...duration } = { until: undefined, ...end };
    const text = (at: number): string => new Date(at).toISOString();
    const { duration: _none, ...asked } = ASKED;
    const body = {
      ...asked,
      from: text(START + from),
      ...duration,
      ...(until === undefined ? {} : { until: text(until) }),
    };
    const added: unknown = await (await post(web, body)).json();
    const shown = { ...expected, from: text(START + expected.from), until: text(START + expected.until) };
    expect(added).toMatchObject(shown);
    const listed: unknown = await (await web.get('/api/v1/silences')).json();
    expect(listed).toMatchObject({ silences: [shown] });
    const [change] = web.state.changes;
    expect(change?.detail.includes(`planned from ${shown.from}`)).toBe(expected.planned);
  });

  test('adds one for everything, until a time in any zone', async () => {
    await using web = await start();
    const until = '2037-01-01T00:00:00+01:00';
    const far = await post(web, { until, by: 'Ada', comment: 'x' });
    expect(far.status).toBe(400);
    const near = new Date(START + HOUR).toISOString().replace('Z', '-02:00');

    const response = await post(web, { until: near, by: 'Ada', comment: 'x'.repeat(500) });

    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      cause: null,
      subject: null,
      until: new Date(START + 3 * HOUR).toISOString(),
    });
  });

  test.each<[string, unknown, readonly string[]]>([
    ['no JSON', '{', ['The request body must be a JSON object']],
    ['no object', '[1]', ['The request body must be a JSON object']],
    ['nothing', {}, ['"comment": expected text']],
    ['no end', { by: 'a', comment: 'b' }, ['"until": expected either "duration" or "until"']],
    ['two ends', { ...ASKED, until: '2030-01-01T00:00:00Z' }, ['"duration": expected either "duration" or "until"']],
    [
      'a duration that is none',
      { ...ASKED, duration: '2 hours' },
      ['"duration": expected a duration such as "90s", "15m", "2h" or "7d", got "2 hours"'],
    ],
    ['a duration that hides for good', { ...ASKED, duration: '91d' }, ['"duration": expected an end within 90 days']],
    [
      'an end that is over',
      { by: 'a', comment: 'b', until: '2001-01-01T00:00:00Z' },
      ['"until": expected a time in the future'],
    ],
    [
      'an end before its begin',
      {
        by: 'a',
        comment: 'b',
        from: new Date(START + 2 * HOUR).toISOString(),
        until: new Date(START + HOUR).toISOString(),
      },
      ['"until": expected a time after "from"'],
    ],
    [
      'a begin that is none',
      { ...ASKED, from: 'tomorrow' },
      ['"from": expected a time such as "2026-11-24T18:00:00Z", got "tomorrow"'],
    ],
    ['a begin in a year', { ...ASKED, from: '2027-12-01T00:00:00Z' }, ['"duration": expected an end within 90 days']],
    [
      'a time without zone',
      { by: 'a', comment: 'b', until: '2037-01-01T00:00' },
      ['"until": expected a time such as "2026-11-24T18:00:00Z", got "2037-01-01T00:00"'],
    ],
    [
      'an unknown cause',
      { ...ASKED, cause: 'tls-\u001bintercepted' },
      [
        '"cause": expected a cause such as "tls-intercepted", got "tls-\\u{1B}intercepted"; did you mean "tls-intercepted"?',
      ],
    ],
    [
      'a cause of the prototype',
      { ...ASKED, cause: 'toString' },
      ['"cause": expected a cause such as "tls-intercepted", got "toString"'],
    ],
    [
      'a comment of two lines',
      { ...ASKED, comment: 'a\r\nBcc: b' },
      ['"comment": expected a single line of text without invisible characters'],
    ],
    [
      'a comment that is long',
      { ...ASKED, comment: 'x'.repeat(501) },
      ['"comment": expected text of 1 to 500 characters'],
    ],
    ['an unknown key', { ...ASKED, matchers: [] }, ['unknown key "matchers" in a silence']],
  ])('tells what is wrong with %s', async (_, body, problems) => {
    await using web = await start();

    const response = await post(web, body);

    expect([response.status, await response.json()]).toEqual([400, { error: 'Invalid silence', problems }]);
    expect(web.state.silences).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, string>>, number]>([
    ['a page of another origin', { Origin: 'https://evil.example' }, 403],
    ['a page that hides its origin', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a form', { 'Content-Type': 'text/plain' }, 415],
  ])('refuses %s', async (_, headers, status) => {
    await using web = await start();

    const response = await post(web, ASKED, headers);

    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.any(String) });
    expect(web.state.silences).toEqual([]);
  });

  test('is bounded in size and in number', async () => {
    await using web = await start(
      Array.from({ length: 100 }, (_, index) => ({ ...SILENCE, id: `silence-${String(index)}` })),
    );

    expect((await post(web, { ...ASKED, comment: 'x'.repeat(5_000) })).status).toBe(413);
    const response = await post(web, ASKED);
    expect([response.status, await response.json()]).toEqual([
      409,
      { error: 'The maximum of 100 silences has been reached. Remove a silence first' },
    ]);
    expect(web.state.silences).toHaveLength(100);
  });
});

describe('GET and DELETE /api/v1/silences', () => {
  test('tell when notifications wait by plan', async () => {
    await using web = await startWeb();
    const plan = async (): Promise<unknown> => web.get('/api/v1/silences').then((response) => response.json());
    expect(await plan()).toEqual({ silences: [], maintenance: { until: null, next: null } });

    const [from, until] = [Date.parse('2026-11-29T02:00:00Z'), Date.parse('2026-11-29T04:00:00Z')];
    web.state.maintenance = { until, next: { from, until } };
    expect(await plan()).toMatchObject({
      maintenance: {
        until: '2026-11-29T04:00:00.000Z',
        next: { from: '2026-11-29T02:00:00.000Z', until: '2026-11-29T04:00:00.000Z' },
      },
    });
  });

  test('list those that last, and remove one', async () => {
    await using web = await start([{ ...SILENCE, id: 'silence-0', until: START }, SILENCE]);

    const list = (): Promise<unknown> => web.get('/api/v1/silences').then((response) => response.json());
    expect(await list()).toMatchObject({
      silences: [expect.objectContaining({ id: 'silence-1', cause: null, comment: 'Moving house' })],
    });

    expect((await web.get('/api/v1/silences/silence-1', { method: 'DELETE' })).status).toBe(204);
    expect(await list()).toMatchObject({ silences: [] });
  });

  test('say that there is none, and refuse other origins', async () => {
    await using web = await start([SILENCE]);

    const nothing = await web.get('/api/v1/silences/no%1B', { method: 'DELETE' });
    expect([nothing.status, await nothing.json()]).toEqual([404, { error: 'There is no silence "no\\u{1B}"' }]);
    const foreign = await web.get('/api/v1/silences/silence-1', {
      method: 'DELETE',
      headers: { 'Sec-Fetch-Site': 'same-site' },
    });
    expect(foreign.status).toBe(403);
    expect(web.state.silences).toEqual([SILENCE]);
  });
});
