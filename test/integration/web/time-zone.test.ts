import { beforeAll, describe, expect, test } from 'vitest';
import { zoneOf } from '../../../src/core/time-text.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { finding } from '../../support/checks/judged-round.ts';
import {
  formerCauseOf,
  incidentNotificationOf,
  incidentOf,
  outboxEntryOf,
} from '../../support/notify/outbox-entry-of.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';
import { EMPTY_PAST, type WebState } from '../../support/web/web-sources.ts';

/** Has an entry wherever a time can be shown. */
const shown: { state: Partial<WebState>; incident: string } = { state: {}, incident: '' };

beforeAll(async () => {
  const leaf = parseCertificate((await createIdentity({ name: 'CN=license.example.test' })).der);
  if (leaf === null) throw new Error('The identity is no certificate');
  const open = { ...incidentOf(), formerCauses: [formerCauseOf('clock-skewed', START + MINUTE)] };
  const over = { ...incidentOf(causeOf('mail-unreachable')), id: 'over', status: 'closed', closedAt: START } as const;
  const diagnosis = diagnosisOf(START, [open.cause]);
  shown.incident = open.id;
  shown.state = {
    incidents: [open, over],
    diagnosis: {
      ...diagnosis,
      preconditions: diagnosis.preconditions.map((one) => ({
        ...one,
        findings: [finding('clock-skewed', { at: START })],
      })),
    },
    outboxEntries: [outboxEntryOf(incidentNotificationOf(open), { status: 'sent', finishedAt: START })],
    certificates: [
      { target: 'license.example.test:443', address: '192.0.2.1', verdict: 'genuine', chain: [leaf], trusted: [leaf] },
    ],
    silences: [
      { id: 's', cause: null, subject: null, from: START, until: Date.UTC(2100, 0, 1), by: 'Ada', comment: 'Known' },
    ],
    maintenance: { until: START + HOUR, next: { from: START + 9 * HOUR, until: START + 10 * HOUR } },
    changes: [
      {
        at: START,
        action: 'comment',
        account: 'ada',
        address: null,
        incident: open.id,
        cause: null,
        subject: null,
        detail: 'Seen',
      },
    ],
    rangeData: {
      ...EMPTY_PAST,
      range: '24h',
      from: START - 24 * HOUR,
      latency: [{ name: 'tls', points: [{ at: START - HOUR, value: 40 }] }],
      incidents: [
        { id: 'i', cause: 'a', subject: 'b', severity: 'critical', from: START, until: START, lasted: 'about 1 min' },
      ],
    },
  };
});

const UNDER = {
  'Europe/Berlin': /^\S+ \S+ \+0[12]:00 \((?:\S+ )?\S+ UTC\)/u,
  'America/New_York': /^\S+ \S+ -0[45]:00 \((?:\S+ )?\S+ UTC\)/u,
  UTC: /^\S+ \S+ UTC/u,
};

/** Returns the readable text after each full time on a page. UTC times in parentheses and in tooltips are left out. */
function times(page: string): readonly string[] {
  const readable = page.replaceAll(/datetime="[^"]*"| title="\S+ \S+ UTC"/gu, '');
  return [...readable.matchAll(/(?<!\()\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/gu)].map(({ index }) =>
    readable.slice(index, index + 60),
  );
}

describe('the zone of the site', () => {
  test.each(['/?range=24h', '/incidents', '/incidents/ID', '/incidents/ID.md', '/changes'])(
    'has every time of %s, as soon as it is configured',
    async (route) => {
      await using web = await startWeb({ state: shown.state });
      const path = route.replace('ID', encodeURIComponent(shown.incident));
      for (const [timezone, expected] of Object.entries(UNDER)) {
        web.state.timezone = timezone;
        const page = await web.text(path);
        expect(times(page).filter((text) => !expected.test(text))).toEqual([]);
        const zone = zoneOf(timezone);
        expect([zone.text(START), `>${zone.short(START, Date.now())}<`].some((time) => page.includes(time))).toBe(true);
      }
    },
  );

  test('is the one of the charts and of their table', async () => {
    await using web = await startWeb({ state: { ...shown.state, timezone: 'Europe/Berlin' } });
    const page = await web.text('/?range=24h');
    expect(START).toBe(Date.parse('2026-11-24T13:00:00Z'));
    expect(page).toContain('data-timezone="Europe/Berlin"');
    expect(page).toContain('<th scope="col">From (Europe/Berlin)</th>');
    expect(page).toContain('<tr><th scope="row">2026-11-23 14:00</th>');
  });

  test('changes nothing of what programs read', async () => {
    await using web = await startWeb({ state: shown.state });
    const read = async (): Promise<readonly string[]> => {
      const paths = ['status', 'incidents', 'incidents.csv?cause=', 'notifications', 'silences', 'audit', 'history'];
      return Promise.all(paths.map(async (path) => (await web.get(`/api/v1/${path}`)).text()));
    };
    const before = await read();
    web.state.timezone = 'Europe/Berlin';
    expect(await read()).toEqual(before);
    expect(times(before.join('\n')).every((text) => /^\S+T[\d:.]+Z/u.test(text))).toBe(true);
  });
});

describe('the days of /incidents', () => {
  async function listed(web: WebBench, path: string): Promise<number> {
    return (await web.text(path)).split(/Summary of tls-intercepted|TLS is intercepted/u).length - 1;
  }

  async function csvOf(web: WebBench, path: string): Promise<string> {
    const page = await web.text(path);
    return (/href="(api\/v1\/incidents\.csv\?[^"]*)"/u.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');
  }

  test('are those of the site, and its links to the same for programs say which', async () => {
    // In this zone it is 03:00 on the next day.
    await using web = await startWeb({
      state: {
        incidents: timeline().rounds(2, [causeOf('tls-intercepted')]).state.incidents,
        timezone: 'Pacific/Kiritimati',
      },
    });
    const [before, on] = ['/incidents?until=2026-11-24', '/incidents?until=2026-11-25'];
    const none = await listed(web, before);
    expect(await listed(web, on)).toBeGreaterThan(none);
    expect(await listed(web, `/${await csvOf(web, before)}`)).toBe(0);
    expect(await listed(web, `/${await csvOf(web, on)}`)).toBe(1);
    // For programs, a day is a UTC day.
    expect(await listed(web, '/api/v1/incidents.csv?until=2026-11-24')).toBe(1);
  });

  test('stay in the form as they were chosen, and a time of the address by its day there', async () => {
    await using web = await startWeb({ state: { timezone: 'Pacific/Kiritimati' } });
    const page = await web.text('/incidents?from=2026-11-20&until=2026-11-24T13:00:00Z');
    expect(page).toContain('name="from" value="2026-11-20"');
    expect(page).toContain('name="until" value="2026-11-25"');
  });
});
