import { describe, expect, test } from 'vitest';
import { notificationsToJson } from '../../../src/web/incident-json.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { SECOND, START } from '../../support/store/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';

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
