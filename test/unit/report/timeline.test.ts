import { describe, expect, test } from 'vitest';
import type { Incident, Delivery } from '../../../src/engine/incident/incident.ts';
import { createMask } from '../../../src/text/mask.ts';
import { maskedHistory, type Timeline, timelineToJson } from '../../../src/report/timeline.ts';
import type { StoredHistory } from '../../../src/store/stored-history.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { formerCauseOf } from '../../support/notify/outbox-entry-of.ts';
import { openedEntry } from '../../support/store/store-records.ts';

type ReadableHistory = Extract<StoredHistory, { readonly kind: 'read' }>;

const MASK = createMask({ accounts: [], withoutSecrets: (text) => text });
const HOOK = 'https://hooks.example.org/T00/xyzzy?k=1';

function timelineOf(stored: StoredHistory): Timeline {
  return timelineToJson(maskedHistory(stored, MASK));
}

function history(more: Partial<ReadableHistory>): ReadableHistory {
  return {
    kind: 'read',
    incidents: [],
    olderIncidents: 0,
    outboxEntries: [],
    olderEntries: 0,
    certificates: [],
    ...more,
  };
}

function incident(more: Partial<Incident>): Incident {
  const [opened] = timeline().rounds(2, [causeOf('tls-intercepted')]).state.incidents;
  if (opened === undefined) throw new Error('No incident was opened');
  return { ...opened, ...more };
}

function delivered(more: Partial<Delivery>): ReadableHistory {
  const [outboxEntry] = openedEntry().outboxEntries;
  if (outboxEntry === undefined) throw new Error('Nothing was told');
  return history({ outboxEntries: [{ ...outboxEntry, delivery: { ...outboxEntry.delivery, ...more } }] });
}

describe('the timeline', () => {
  test('tells every transition of an incident, in order', () => {
    const story = incident({
      since: START,
      openedAt: START + MINUTE,
      formerCauses: [
        formerCauseOf('egress-blocked', START + 2 * MINUTE, 'a:443'),
        formerCauseOf('tls-blocked', START + 3 * MINUTE, 'a:443'),
      ],
      returns: [START + 4 * MINUTE],
      closedAt: START + 5 * MINUTE,
      status: 'closed',
    });
    const { events, incidents, note } = timelineOf(history({ incidents: [story] }));
    expect(note).toBeNull();
    expect(incidents).toMatchObject([
      { status: 'closed', closedAt: '2026-11-24T13:05:00.000Z', cause: 'tls-intercepted' },
    ]);
    expect(
      events.map(({ at, kind, text }) => [at.slice(14, 16), kind, ...(text.match(/[\w-]+(?= \()/gu) ?? [])]),
    ).toEqual([
      ['00', 'seen', 'egress-blocked'],
      ['01', 'opened'],
      ['02', 'cause-changed', 'egress-blocked', 'tls-blocked'],
      ['03', 'cause-changed', 'tls-blocked', 'tls-intercepted'],
      ['04', 'returned'],
      ['05', 'closed'],
    ]);
  });

  test('tells each time that it was there', () => {
    const line = timeline()
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')])
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')]);
    const told = timelineOf(history({ incidents: line.state.incidents }));
    expect(told.events.map(({ at, kind }) => `${at.slice(14, 19)} ${kind}`)).toEqual([
      '01:00 seen',
      '01:30 opened',
      '02:30 closed',
      '03:00 seen',
      '03:30 opened',
    ]);
    expect(told.incidents).toMatchObject([
      {
        status: 'open',
        since: '2026-11-24T13:03:00.000Z',
        lasted: null,
        earlier: [{ since: '2026-11-24T13:01:00.000Z', closedAt: '2026-11-24T13:02:30.000Z', lasted: 'about 1 min' }],
      },
    ]);
  });

  test('quotes log lines without names', () => {
    const evidence = ['fac-1: Once, last now: user="jdoe" FTM polling error'];
    const { incidents } = timelineOf(
      history({ incidents: [incident({ cause: causeOf('polling-failing', { evidence }) })] }),
    );
    expect(incidents[0]?.evidence).toEqual(['fac-1: Once, last now: user=<user> FTM polling error']);
  });

  test.each([
    [
      { recipient: 'jane@example.org', detail: '550 <jane@example.org> unknown' },
      '<user>@example.org',
      '550 <<user>@example.org> unknown',
    ],
    [
      { channel: 'webhook', recipient: HOOK, detail: `no such hook: ${HOOK}` },
      'https://hooks.example.org/…',
      'no such hook: /…',
    ],
    [
      { channel: 'webhook', recipient: HOOK, detail: 'Cannot POST /T00/xyzzy' },
      'https://hooks.example.org/…',
      'Cannot POST /…',
    ],
    [{ channel: 'slack', recipient: 'on call', detail: 'HTTP 404: no_team' }, 'on call', 'HTTP 404: no_team'],
    [
      { channel: 'webhook', recipient: 'file "/run/secrets/hook"', detail: 'HTTP 500' },
      'file "/run/secrets/hook"',
      'HTTP 500',
    ],
  ] as const)('says who was told, and hides what is secret in it: %j', (delivery, to, detail) => {
    const told = timelineOf(delivered({ ...delivery, status: 'rejected', attempts: 1, finishedAt: START }));
    expect(told.events[0]?.text).toContain(` to ${to}, rejected at 2026-11-24T13:00:00.000Z, `);
    expect(told.events[0]?.text.endsWith(`: ${detail}`)).toBe(true);
    expect(JSON.stringify(told)).not.toMatch(/xyzzy|jane/u);
  });

  test('says what is missing', () => {
    const notes = (
      [
        { kind: 'none' },
        { kind: 'unreadable', message: 'database is locked' },
        history({ olderIncidents: 2, olderEntries: 3 }),
        history({}),
      ] as const
    ).map((kept) => timelineOf(kept).note);
    expect(notes).toEqual([
      expect.any(String),
      expect.stringContaining('database is locked'),
      expect.stringMatching(/2.*3/u),
      null,
    ]);
  });

  test('survives times that are none', () => {
    expect(timelineOf(history({ incidents: [incident({ since: 1e300 })] })).incidents[0]?.since).toBe('no time');
  });
});
