import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START } from '../../../support/store/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../../support/notify/outbox-entry-of.ts';
import { NOW, render, words } from '../../../support/web/rendered-page.ts';

const HOSTILE = '<script>alert(1)</script>\u202e';

const incident = incidentOf();
const firing = incidentNotificationOf(incident);

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
      'Timeline First seen 10 min ago Confirmed 9 min ago Alarm 9 min ago Sent by email to a…@example.org now',
    );
  });

  test('stays when it is over, in words', () => {
    const over = { ...incident, status: 'closed', closedAt: START + 5 * MINUTE } as const;

    expect(words({ incidents: [over] })).toMatch(
      /Resolved within 7 days: 1 tls-intercepted \S+ resolved 5 min ago , lasted at least 30 s First seen .* Resolved 5 min ago after at least 30 s/u,
    );
  });

  test('leaves the first steps of a long one out', () => {
    const outboxEntries = Array.from({ length: 30 }, (_, index) =>
      outboxEntryOf(
        incidentNotificationOf(incident, { id: String(index), event: 'reminder', at: START + MINUTE + index * SECOND }),
      ),
    );

    expect(words({ incidents: [incident], outboxEntries })).toContain('Timeline 20 more steps Reminder');
  });

  test('says that the history is not available, and goes on with what is known', () => {
    const text = words({ incidents: [incident], complete: false });

    expect(text).toContain(
      'The history is not available, so resolved incidents and sent notifications may be missing.',
    );
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
      /Silences 2 Ends soon All causes .*in 5 min .*Silenced tls-intercepted/u,
    );
  });

  test('tell of maintenance that is and that comes', () => {
    const maintenance = { until: NOW + HOUR, next: { from: NOW + 72 * HOUR, until: NOW + 74 * HOUR } };
    const text = words({ maintenance, incidents: [incident] });

    expect(text).toContain(
      'Maintenance Notifications are held back. Maintenance ends in 1 h (2026-11-24 14:10:00 UTC)',
    );
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

    // The rest of the first load is 35 KB, and the total must stay under 100 KB.
    expect(Buffer.byteLength(render({ incidents: many, outboxEntries }))).toBeLessThan(65 * 1024);
  });
});
