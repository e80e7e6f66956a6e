import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../../src/engine/incident/incident.ts';
import type { OutboxEntry } from '../../../../src/engine/incident/journal.ts';
import { renderStatusPage } from '../../../../src/web/page/status-page.ts';
import { causeOf, diagnosisOf } from '../../../support/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START } from '../../../support/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../../support/outbox-entry-of.ts';
import { QUIET_ACTIVITY, sourcesOf, webState, type WebState } from '../../../support/web-sources.ts';

const NOW = START + 10 * MINUTE;
const HOSTILE = '<script>alert(1)</script>\u202e';

function render(more: Partial<WebState>): string {
  return renderStatusPage(sourcesOf(webState({ diagnosis: diagnosisOf(START, []), ...more })), NOW);
}

/** What a person reads: without tags, spaces made one. */
function words(more: Partial<WebState>): string {
  return render(more)
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

const incident = incidentOf();
const firing = incidentNotificationOf(incident);

describe('the notifications', () => {
  test('are none', () => {
    expect(words({})).toContain('Notifications None recently.');
  });

  test.each([
    [
      'sent',
      outboxEntryOf(firing, { status: 'sent', finishedAt: NOW - MINUTE }),
      'Sent by mail to a…@example.org 1 min ago',
    ],
    ['new', outboxEntryOf(firing), 'On its way by mail to a…@example.org'],
    [
      'waiting',
      outboxEntryOf(firing, {
        attempts: 3,
        nextAttemptAt: NOW + 2 * MINUTE,
        detail: '451 <admins@example.org> is full',
      }),
      'Waiting by mail to a…@example.org; tried 3 times, next attempt in 2 min 451 &lt;a…@example.org&gt; is full',
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
      'Failed by web hook to https://h.example.org/…: refused and given up now , tried once 404',
    ],
    [
      'given up',
      outboxEntryOf(firing, { status: 'expired', attempts: 1, finishedAt: NOW - HOUR }),
      'Failed by mail to a…@example.org: given up 1 h ago , tried once',
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
      'by mail to a…@example.org, b…@example.org, c…@example.org, d…@example.org and 2 more now',
    );
  });

  test('stand open while they have not arrived, and are folded when they have', () => {
    const sent = outboxEntryOf(incidentNotificationOf(incident, { id: 'sent' }), { status: 'sent', finishedAt: NOW });
    const page = render({ outboxEntries: [outboxEntryOf(firing), sent] });

    expect(page).toMatch(
      /1 not delivered[\s\S]*On its way[\s\S]*<details id="sent-notifications"><summary>Sent recently: 1<\/summary>/u,
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

    expect(text.split('On its way').length - 1).toBe(10);
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
      words({ outboxEntries: [outboxEntryOf({ kind: 'digest', id: 'd', at: NOW, items, omitted: 0, stillOpen: [] })] }),
    ).toContain('Digest tls-blocked clock-skewed polling-failing and 1 more now');
  });

  test('say that Alertmanager does not answer', () => {
    expect(
      words({ activity: { ...QUIET_ACTIVITY, states: [{ name: 'Alertmanager', silent: 2, tookAt: NOW }] } }),
    ).toContain('Alertmanager 2 instances did not take the last message');
  });
});

describe('who was notified of an incident', () => {
  const noChannel = 'No channel is configured: nothing is sent.';

  test('is nobody without a channel, and the page says why', () => {
    const text = words({ incidents: [{ ...incident, told: null }], activity: { ...QUIET_ACTIVITY, noChannel } });

    expect(text).toContain('Nobody has been notified.');
    expect(text).toContain(`Notifications ${noChannel}`);
  });

  test('waits for room in the hour, and the page says so', () => {
    expect(words({ incidents: [{ ...incident, told: null, held: true }] })).toContain(
      'A notification waits: the hourly limit is reached.',
    );
  });

  test('is nobody while nothing has arrived', () => {
    expect(
      words({ incidents: [incident], outboxEntries: [outboxEntryOf(firing, { status: 'rejected', finishedAt: NOW })] }),
    ).toContain('Nobody has been notified yet: what was to be sent has not arrived.');
  });

  test('is somebody once one of several has it', () => {
    const outboxEntries = [
      outboxEntryOf(firing, { status: 'rejected' }),
      outboxEntryOf(firing, { status: 'sent', recipient: 'b@example.org' }),
    ];

    expect(words({ incidents: [incident], outboxEntries })).toContain('once in all.');
  });

  const NOTHING_TAKEN = 'Alertmanager has taken nothing since ftm-watch was started or reloaded.';
  test.each<{ name: string; tookAt: number | null; outboxEntries: readonly OutboxEntry[]; expected: string }>([
    { name: 'nobody while it takes nothing', tookAt: null, outboxEntries: [], expected: NOTHING_TAKEN },
    {
      name: 'nobody while it takes no more',
      tookAt: START,
      outboxEntries: [],
      expected: 'Alertmanager has not taken it yet.',
    },
    {
      name: 'somebody when it took it',
      tookAt: NOW - SECOND,
      outboxEntries: [],
      expected: 'Alertmanager took it 1 s ago .',
    },
    {
      name: 'somebody when it took what mail did not',
      tookAt: NOW,
      outboxEntries: [outboxEntryOf(firing, { status: 'rejected', finishedAt: NOW })],
      expected: 'What was to be sent by mail or web hook has not arrived. Alertmanager took it now .',
    },
    {
      name: 'somebody when mail arrived alone',
      tookAt: null,
      outboxEntries: [outboxEntryOf(firing, { status: 'sent', finishedAt: NOW })],
      expected: `Notified 9 min ago , once in all. ${NOTHING_TAKEN}`,
    },
  ])('with Alertmanager is $name', ({ tookAt, outboxEntries, expected }) => {
    const activity = { ...QUIET_ACTIVITY, states: [{ name: 'Alertmanager', silent: tookAt === null ? 1 : 0, tookAt }] };

    expect(words({ incidents: [incident], outboxEntries, activity })).toContain(`Since 10 min ago . ${expected}`);
  });
});

describe('the timeline of an incident', () => {
  test('stands with it, open for the gravest', () => {
    const second = { ...incidentOf(causeOf('clock-skewed', { severity: 'warning' })), id: 'second', openedAt: NOW };
    const page = render({
      incidents: [second, incident],
      outboxEntries: [outboxEntryOf(firing, { status: 'sent', finishedAt: NOW })],
    });

    expect(page).toContain(`<details id="story-${incident.id}" open>`);
    expect(page).toContain('<details id="story-second">');
    expect(
      words({ incidents: [incident], outboxEntries: [outboxEntryOf(firing, { status: 'sent', finishedAt: NOW })] }),
    ).toContain(
      'Timeline First seen 10 min ago Confirmed 9 min ago Alarm 9 min ago Sent by mail to a…@example.org now',
    );
  });

  test('stays when it is over, in words', () => {
    const over = { ...incident, status: 'closed', closedAt: START + 5 * MINUTE } as const;

    expect(words({ incidents: [over] })).toMatch(
      /Over within 7 days: 1 tls-intercepted \S+ over 5 min ago , after 5 min First seen .* Over 5 min ago after 5 min/u,
    );
  });

  test('leaves the first steps of a long one out', () => {
    const outboxEntries = Array.from({ length: 30 }, (_, index) =>
      outboxEntryOf(
        incidentNotificationOf(incident, { id: String(index), event: 'reminder', at: START + MINUTE + index * SECOND }),
      ),
    );

    expect(words({ incidents: [incident], outboxEntries })).toContain('Timeline 20 earlier steps Reminder');
  });

  test('says that the history is not available, and goes on with what is known', () => {
    const text = words({ incidents: [incident], complete: false });

    expect(text).toContain('The history is not available: what is over and what was sent may be missing here.');
    expect(text).toContain('Summary of tls-intercepted');
    expect(words({ incidents: [incident] })).not.toContain('The history is not available');
  });
});

describe('the silences', () => {
  const silence: Silence = {
    id: 'silence-7',
    cause: 'tls-intercepted',
    subject: incident.cause.subject,
    from: START,
    until: NOW + 2 * HOUR,
    by: 'Ada',
    comment: 'The exemption is on its way',
  };

  test('are not there when nothing is silenced and nothing is planned', () => {
    expect(words({})).not.toContain('Silences');
    expect(words({ silences: [{ ...silence, until: NOW }] })).not.toContain('Silences');
  });

  test('say what, why, who, until when, and how to end it', () => {
    const page = render({ silences: [silence], incidents: [incident] });

    expect(words({ silences: [silence] })).toContain(
      'Silences 1 Silenced tls-intercepted fortitokenmobile.fortinet.com:443 The exemption is on its way By Ada; ' +
        'ends in 2 h (2026-11-24 15:10:00 UTC) ftm-watch silence remove silence-7',
    );
    expect(page).toContain('data-copy><span class="line">ftm-watch silence remove silence-7</span></code>');
    expect(page).toContain('<span class="tag">silenced</span>');
  });

  test('say that one ends soon, the first to end first', () => {
    const soon = { ...silence, id: 'soon', cause: null, subject: null, until: NOW + 5 * MINUTE };

    expect(words({ silences: [silence, soon] })).toMatch(
      /Silences 2 Ends soon Every cause .*in 5 min .*Silenced tls-intercepted/u,
    );
  });

  test('tell of maintenance that is and that comes', () => {
    const maintenance = { until: NOW + HOUR, next: { from: NOW + 72 * HOUR, until: NOW + 74 * HOUR } };
    const text = words({ maintenance, incidents: [incident] });

    expect(text).toContain('Maintenance Notifications wait; it ends in 1 h (2026-11-24 14:10:00 UTC)');
    expect(text).toContain('Next maintenance in 3 d , for 2 h (2026-11-27 13:10:00 UTC)');
    expect(text).toContain('in maintenance');
  });

  test('show what strangers wrote as text', () => {
    const page = render({
      silences: [{ ...silence, by: HOSTILE, comment: HOSTILE, subject: HOSTILE }],
      incidents: [{ ...incident, cause: { ...incident.cause, subject: HOSTILE } }],
      outboxEntries: [outboxEntryOf(firing, { attempts: 1, detail: HOSTILE, recipient: HOSTILE })],
    });

    expect(page).not.toContain('<script>alert');
    expect(page).not.toContain('\u202e');
  });
});

describe('a page with everything in it', () => {
  test('stays small', () => {
    const many = Array.from({ length: 60 }, (_, index) => {
      const one = {
        ...incidentOf(causeOf('mail-unreachable', { subject: `mail-${String(index)}.example.org:25` })),
        id: `i${String(index)}`,
      };
      return index < 10 ? one : { ...one, status: 'closed' as const, closedAt: START + MINUTE };
    });
    const outboxEntries = many.flatMap((one) =>
      (['firing', 'reminder', 'resolved'] as const).map((event) =>
        outboxEntryOf(incidentNotificationOf(one, { id: `${one.id} ${event}`, event }), {
          attempts: 9,
          detail: 'x'.repeat(300),
        }),
      ),
    );

    // What else comes with the first load is 35 KB; all of it must stay under 100 KB.
    expect(Buffer.byteLength(render({ incidents: many, outboxEntries }))).toBeLessThan(65 * 1024);
  });
});
