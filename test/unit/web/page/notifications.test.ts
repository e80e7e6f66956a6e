import { describe, expect, test } from 'vitest';
import type { OutboxEntry } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START } from '../../../support/store/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../../support/notify/outbox-entry-of.ts';
import { NOW, render, words } from '../../../support/web/rendered-page.ts';
import { QUIET_ACTIVITY } from '../../../support/web/web-sources.ts';

const incident = incidentOf();
const firing = incidentNotificationOf(incident);

describe('the notifications', () => {
  test('are none', () => {
    expect(words({})).toContain('Notifications No recent notifications.');
  });

  test.each([
    [
      'sent',
      outboxEntryOf(firing, { status: 'sent', finishedAt: NOW - MINUTE }),
      'Sent by email to a…@example.org 1 min ago',
    ],
    ['new', outboxEntryOf(firing), 'Being sent by email to a…@example.org'],
    [
      'waiting',
      outboxEntryOf(firing, {
        attempts: 3,
        nextAttemptAt: NOW + 2 * MINUTE,
        detail: '451 <admins@example.org> is full',
      }),
      'Waiting by email to a…@example.org; tried 3 times, next attempt in 2 min 451 &lt;a…@example.org&gt; is full',
    ],
    [
      'refused',
      outboxEntryOf(firing, {
        channel: 'webhook',
        recipient: 'https://h.example.org/secret',
        status: 'rejected',
        attempts: 1,
        finishedAt: NOW,
        detail: '404',
      }),
      'Failed by webhook to https://h.example.org/…: rejected now , tried once 404',
    ],
    [
      'given up',
      outboxEntryOf(firing, { status: 'expired', attempts: 1, finishedAt: NOW - HOUR }),
      'Failed by email to a…@example.org: not delivered, last attempt 1 h ago , tried once',
    ],
  ])('say of one that is %s what became of it', (_, outboxEntry, expected) => {
    const text = words({ outboxEntries: [outboxEntry] }).replaceAll(' ;', ';');

    expect(text).toContain(`Alarm tls-intercepted 9 min ago ${expected}`);
  });

  test('put together the recipients to whom the same happened, and count those beyond four', () => {
    const outboxEntries = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      outboxEntryOf(firing, { recipient: `${name}@example.org`, status: 'sent', finishedAt: NOW }),
    );

    expect(words({ outboxEntries })).toContain(
      'by email to a…@example.org, b…@example.org, c…@example.org, d…@example.org and 2 more now',
    );
  });

  test('stand open while they have not arrived, and are folded when they have', () => {
    const sent = outboxEntryOf(incidentNotificationOf(incident, { id: 'sent' }), { status: 'sent', finishedAt: NOW });
    const page = render({ outboxEntries: [outboxEntryOf(firing), sent] });

    expect(page).toMatch(
      /1 not delivered[\s\S]*Being sent[\s\S]*<details id="sent-notifications"><summary>Sent recently: 1<\/summary>/u,
    );
  });

  test('are bounded', () => {
    const many = (status: 'sent' | 'pending') =>
      Array.from({ length: 200 }, (_, index) =>
        outboxEntryOf(incidentNotificationOf(incident, { id: `${status} ${String(index)}` }), {
          status,
          finishedAt: NOW,
        }),
      );
    const text = words({ outboxEntries: [...many('sent'), ...many('pending')] });

    expect(text.split('Being sent').length - 1).toBe(10);
    expect(text).toContain('200 not delivered');
    expect(text).toContain('and 190 more: as JSON');
    expect(text).toContain('and 185 more: as JSON');
  });

  test('name three causes of a digest', () => {
    const items = (['tls-blocked', 'clock-skewed', 'polling-failing', 'mail-unreachable'] as const).map((id) => ({
      event: 'firing' as const,
      incident: incidentOf(causeOf(id)),
    }));

    expect(
      words({
        outboxEntries: [
          outboxEntryOf({ kind: 'digest', id: 'd', at: NOW, items, omitted: 0, omittedOpen: 0, stillOpen: [] }),
        ],
      }),
    ).toContain('Digest tls-blocked clock-skewed polling-failing and 1 more now');
  });

  test('say that Alertmanager does not answer', () => {
    expect(
      words({ activity: { ...QUIET_ACTIVITY, states: [{ name: 'Alertmanager', silent: 2, tookAt: NOW }] } }),
    ).toContain('Alertmanager 2 instances did not accept the last message');
  });
});

describe('who was notified of an incident', () => {
  const noChannel = 'No channel is configured: nothing is sent.';

  test('is nobody without a channel, and the page says why', () => {
    const text = words({
      incidents: [{ ...incident, lastNotified: null }],
      activity: { ...QUIET_ACTIVITY, noChannel },
    });

    expect(text).toContain('No notifications have been sent.');
    expect(text).toContain(`Notifications ${noChannel}`);
  });

  test('waits for room in the hour, and the page says so', () => {
    expect(words({ incidents: [{ ...incident, lastNotified: null, awaitsDigest: true }] })).toContain(
      'A notification is held back, because the hourly limit has been reached.',
    );
  });

  test('is nobody while nothing has arrived', () => {
    expect(
      words({ incidents: [incident], outboxEntries: [outboxEntryOf(firing, { status: 'rejected', finishedAt: NOW })] }),
    ).toContain('Nobody has been notified yet, because no message has been delivered.');
  });

  test('is somebody once one of several has it', () => {
    const outboxEntries = [
      outboxEntryOf(firing, { status: 'rejected' }),
      outboxEntryOf(firing, { status: 'sent', recipient: 'b@example.org' }),
    ];

    expect(words({ incidents: [incident], outboxEntries })).toContain('once in total.');
  });

  const NOTHING_TAKEN = 'Alertmanager has not accepted any message since ftm-watch was started or reloaded.';
  test.each<{ name: string; tookAt: number | null; outboxEntries: readonly OutboxEntry[]; expected: string }>([
    { name: 'nobody while it takes nothing', tookAt: null, outboxEntries: [], expected: NOTHING_TAKEN },
    {
      name: 'nobody while it takes no more',
      tookAt: START,
      outboxEntries: [],
      expected: 'Alertmanager has not accepted the message yet.',
    },
    {
      name: 'somebody when it took it',
      tookAt: NOW - SECOND,
      outboxEntries: [],
      expected: 'Alertmanager accepted the message 1 s ago .',
    },
    {
      name: 'somebody when it took what mail did not',
      tookAt: NOW,
      outboxEntries: [outboxEntryOf(firing, { status: 'rejected', finishedAt: NOW })],
      expected: 'Messages by email or webhook have not been delivered. Alertmanager accepted the message now .',
    },
    {
      name: 'somebody when mail arrived alone',
      tookAt: null,
      outboxEntries: [outboxEntryOf(firing, { status: 'sent', finishedAt: NOW })],
      expected: `Notified 9 min ago , once in total. ${NOTHING_TAKEN}`,
    },
  ])('with Alertmanager is $name', ({ tookAt, outboxEntries, expected }) => {
    const activity = { ...QUIET_ACTIVITY, states: [{ name: 'Alertmanager', silent: tookAt === null ? 1 : 0, tookAt }] };

    expect(words({ incidents: [incident], outboxEntries, activity })).toContain(`Since 10 min ago . ${expected}`);
  });
});
