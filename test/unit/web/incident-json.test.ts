import { describe, expect, test } from 'vitest';
import { headline } from '../../../src/checks/headline.ts';
import { capital } from '../../../src/engine/words.ts';
import { maskedDetail, maskedRecipient } from '../../../src/notify/channels/deliveries.ts';
import { byUrgency, incidentsToJson, notificationsToJson } from '../../../src/web/incident-json.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../../support/notify/outbox-entry-of.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';
import { MINUTE, SECOND, START, timeline } from '../../support/store/incident-timeline.ts';

describe('incidentsToJson()', () => {
  test('tells an open incident', () => {
    const incident = incidentOf(causeOf('tls-blocked'));
    const { id, ...cause } = incident.cause;

    expect(incidentsToJson([incident])[0]).toEqual({
      id: incident.id,
      status: 'open',
      ...cause,
      cause: id,
      headline: capital(headline(incident.cause)),
      since: new Date(START).toISOString(),
      causeSince: new Date(START).toISOString(),
      openedAt: new Date(START + 30_000).toISOString(),
      closedAt: null,
      lastSeen: new Date(START + 30_000).toISOString(),
      lasted: null,
      earlier: [],
      flapping: false,
      formerCauses: [],
      openingEvidence: incident.openingEvidence,
      acknowledgement: null,
      notifications: incident.thread.count,
    });
  });
});

describe('byUrgency()', () => {
  test('puts open ones first, then the latest', () => {
    const line = timeline()
      .rounds(2, [causeOf('mail-unreachable', { severity: 'warning' })])
      .rounds(3, [], MINUTE)
      .rounds(2, [causeOf('tls-blocked')])
      .rounds(2, [causeOf('tls-blocked'), causeOf('clock-skewed', { severity: 'warning' })]);

    expect(byUrgency(line.state.incidents).map(({ status, cause }) => `${status} ${cause.id}`)).toEqual([
      'open clock-skewed',
      'open tls-blocked',
      'closed mail-unreachable',
    ]);
  });
});

function iso(at: number): string {
  return new Date(at).toISOString();
}

describe('notificationsToJson()', () => {
  test('tells all of one that waits, but not who it is for', () => {
    const incident = incidentOf(causeOf('tls-blocked'));
    const outboxEntry = outboxEntryOf(incidentNotificationOf(incident, { event: 'reminder' }), {
      attempts: 2,
      firstFailedAt: START + 31 * SECOND,
      nextAttemptAt: START + 90 * SECOND,
      detail: '451 4.3.0 <admins@example.org>: try later',
    });

    expect(notificationsToJson([outboxEntry])[0]).toEqual({
      id: `${incident.id}-1`,
      event: 'reminder',
      incidents: [{ id: incident.id, cause: 'tls-blocked', subject: 'fortitokenmobile.fortinet.com:443' }],
      channel: 'email',
      recipient: 'a…@example.org',
      status: 'pending',
      createdAt: iso(START + 30 * SECOND),
      attempts: 2,
      firstFailedAt: iso(START + 31 * SECOND),
      nextAttemptAt: iso(START + 90 * SECOND),
      finishedAt: null,
      detail: '451 4.3.0 <a…@example.org>: try later',
    });
  });

  test.each(['sent', 'rejected', 'expired'] as const)('has no next attempt for one that is %s', (status) => {
    const [json] = notificationsToJson([
      outboxEntryOf(incidentNotificationOf(incidentOf()), { status, finishedAt: START + 40 * SECOND }),
    ]);

    expect(json).toMatchObject({ status, nextAttemptAt: null, finishedAt: iso(START + 40 * SECOND) });
  });

  test('names every incident of a digest, and none of a test', () => {
    const [first, second] = [incidentOf(), incidentOf(causeOf('clock-skewed'))];
    const items = [first, second].map((incident) => ({ event: 'firing' as const, incident }));

    expect(
      notificationsToJson([
        outboxEntryOf({ kind: 'digest', id: 'd', at: START, items, omitted: 0, omittedOpen: 0, stillOpen: [] }),
      ])[0],
    ).toMatchObject({
      event: 'digest',
      incidents: [{ cause: 'tls-intercepted' }, { cause: 'clock-skewed' }],
    });
    expect(notificationsToJson([outboxEntryOf({ kind: 'test', id: 't', at: START })])[0]).toMatchObject({
      event: 'test',
      incidents: [],
    });
  });
});

describe('maskedRecipient()', () => {
  test.each([
    ['email', 'admins@example.org', 'a…@example.org'],
    ['email', 'first.last+ftm@mail.example.org', 'f…@mail.example.org'],
    ['email', 'x@example.org', 'x…@example.org'],
    ['webhook', 'https://hooks.example.org/services/T0/B0/secret', 'https://hooks.example.org/…'],
    ['webhook', 'https://hooks.example.org:8443/?token=secret', 'https://hooks.example.org:8443/…'],
    ['webhook', 'http://user:secret@hooks.example.org/', 'http://hooks.example.org'],
    ['webhook', 'chat of ops', 'chat of ops'],
    ['alertmanager', 'no address', '…'],
    ['webhook', 'file "/run/secrets/hook"', 'file "/run/secrets/hook"'],
  ] as const)('shows of %s %s only %s', (channel, recipient, expected) => {
    expect(maskedRecipient({ channel, recipient })).toBe(expected);
  });
});

describe('maskedDetail()', () => {
  test.each([
    [
      '550 5.1.1 <admins@example.org>: Recipient address rejected',
      '550 5.1.1 <a…@example.org>: Recipient address rejected',
    ],
    ['rcpt to:admins@[192.0.2.1] and b.c@example.org', 'rcpt to:a…@[192.0.2.1] and b…@example.org'],
    ['404 from https://hooks.example.org/services/secret', '404 from https://hooks.example.org/…'],
    ['421 4.7.0 Try again @ noon', '421 4.7.0 Try again @ noon'],
    ['', ''],
  ])('masks %j', (detail, expected) => {
    expect(maskedDetail({ detail })).toBe(expected);
  });

  test('takes a long text of a stranger in no time', () => {
    const texts = ['a'.repeat(200_000), 'a@'.repeat(100_000)];
    expect(cpuMsOf(() => texts.forEach((detail) => maskedDetail({ detail })))).toBeLessThan(500);
  });
});
