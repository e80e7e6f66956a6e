import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, START } from '../../../support/store/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../../support/notify/outbox-entry-of.ts';
import { NOW, render, words } from '../../../support/web/rendered-page.ts';

const HOSTILE = '<script>alert(1)</script>\u202e';

const incident = incidentOf();
const firing = incidentNotificationOf(incident);

describe('an incident', () => {
  test('links to its page, and says who has been notified', () => {
    const outboxEntries = [outboxEntryOf(firing, { status: 'sent', finishedAt: NOW })];

    expect(render({ incidents: [incident], outboxEntries })).toContain(`<a href="incidents/${incident.id}">`);
    expect(words({ incidents: [incident], outboxEntries })).not.toContain('First seen');
  });

  test('stays when it is over, in words', () => {
    const over = { ...incident, status: 'closed', closedAt: START + 5 * MINUTE } as const;

    expect(words({ incidents: [over] })).toMatch(
      /Resolved within 7 days: 1 tls-intercepted \S+ resolved 5 min ago , lasted at least 30 s/u,
    );
    expect(render({ incidents: [over] })).toContain(`<a href="incidents/${incident.id}">`);
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

  test('say that one has not begun yet', () => {
    const planned = { ...silence, from: NOW + HOUR };
    const page = { silences: [planned], incidents: [incident] };
    expect(words(page)).toContain(
      'By Ada; begins in 1 h (2026-11-24 14:10:00 UTC), ends in 2 h (2026-11-24 15:10:00 UTC)',
    );
    expect(words(page)).toMatch(/Silences 1 Planned tls-intercepted/u);
    expect(render(page)).not.toContain('<span class="tag">silenced</span>');
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
