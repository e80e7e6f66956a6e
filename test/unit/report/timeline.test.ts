import { describe, expect, test } from 'vitest';
import type { Incident, Delivery } from '../../../src/engine/incident/incident.ts';
import { createMask } from '../../../src/text/mask.ts';
import { timelineOf } from '../../../src/report/timeline.ts';
import type { StoredHistory } from '../../../src/store/stored-history.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { formerCauseOf } from '../../support/notify/outbox-entry-of.ts';
import { openedEntry } from '../../support/store/store-records.ts';

type ReadableHistory = Extract<StoredHistory, { readonly kind: 'read' }>;

const HOOK = 'https://hooks.example.org/T00/xyzzy?k=1';

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
    const { events, incidents, note } = timelineOf(
      history({ incidents: [story] }),
      createMask({ accounts: [], withoutSecrets: (text) => text }),
    );
    expect(note).toBeNull();
    expect(incidents).toMatchObject([
      { status: 'closed', closedAt: '2026-11-24T13:05:00.000Z', cause: { id: 'tls-intercepted' } },
    ]);
    expect(events.map(({ at, kind, text }) => `${at.slice(14, 16)} ${kind}: ${text}`)).toEqual([
      '00 seen: Seen for the first time: egress-blocked (a:443)',
      '01 opened: The fault was confirmed and the incident was opened',
      '02 understood-anew: The cause changed to tls-blocked (a:443) from egress-blocked (a:443)',
      '03 understood-anew: The cause changed to tls-intercepted (fortitokenmobile.fortinet.com:443) from ' +
        'tls-blocked (a:443)',
      '04 returned: The fault returned',
      '05 closed: The incident was resolved',
    ]);
  });

  test('tells each time that it was there', () => {
    const line = timeline()
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')])
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')]);
    const told = timelineOf(
      history({ incidents: line.state.incidents }),
      createMask({ accounts: [], withoutSecrets: (text) => text }),
    );
    expect(told.events.map(({ at, text }) => `${at.slice(14, 19)} ${text.split(':')[0] ?? ''}`)).toEqual([
      '01:00 Seen for the first time',
      '01:30 The fault was confirmed and the incident was opened',
      '02:30 The incident was resolved',
      '03:00 Seen again',
      '03:30 The fault was confirmed and the incident was opened',
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
      createMask({ accounts: [], withoutSecrets: (text) => text }),
    );
    expect(incidents[0]?.cause.evidence).toEqual(['fac-1: Once, last now: user=<user> FTM polling error']);
  });

  test.each([
    [
      { recipient: 'jane@example.org', detail: '550 <jane@example.org> unknown' },
      'email to <user>@example.org',
      '550 <<user>@example.org> unknown',
    ],
    [
      { channel: 'webhook', recipient: HOOK, detail: `no such hook: ${HOOK}` },
      'webhook at https://hooks.example.org',
      'no such hook: /…',
    ],
    [
      { channel: 'webhook', recipient: HOOK, detail: 'Cannot POST /T00/xyzzy' },
      'webhook at https://hooks.example.org',
      'Cannot POST /…',
    ],
    [{ channel: 'slack', recipient: 'on call', detail: 'HTTP 404: no_team' }, 'Slack to on call', 'HTTP 404: no_team'],
    [
      { channel: 'webhook', recipient: 'file "/run/secrets/hook"', detail: 'HTTP 500' },
      'webhook to file "/run/secrets/hook"',
      'HTTP 500',
    ],
  ] as const)('says who was told, and hides what is secret in it: %j', (delivery, to, detail) => {
    const told = timelineOf(
      delivered({ ...delivery, status: 'rejected', attempts: 1, finishedAt: START }),
      createMask({ accounts: [], withoutSecrets: (text) => text }),
    );
    expect(told.events[0]?.text).toBe(
      `Notification "firing", ${to}: rejected at 2026-11-24T13:00:00.000Z, 1 attempt: ${detail}`,
    );
    expect(JSON.stringify(told)).not.toMatch(/xyzzy|jane/u);
  });

  test.each([
    [{ kind: 'none' }, 'There is no history, because no daemon has used this store'],
    [{ kind: 'unreadable', message: 'database is locked' }, 'The history cannot be read: database is locked'],
    [history({ olderIncidents: 2, olderEntries: 3 }), 'Older entries are left out: 2 incidents, 3 notifications'],
  ] as const)('says what is missing: %j', (kept, note) => {
    expect(timelineOf(kept, createMask({ accounts: [], withoutSecrets: (text) => text }))).toEqual({
      note,
      incidents: [],
      events: [],
    });
  });

  test('survives times that are none', () => {
    expect(
      timelineOf(
        history({ incidents: [incident({ since: 1e300 })] }),
        createMask({ accounts: [], withoutSecrets: (text) => text }),
      ).incidents[0]?.since,
    ).toBe('no time');
  });
});
