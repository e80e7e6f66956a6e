import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import { eventOf, incidentsOf, type Notification } from '../../../src/engine/incident/incident.ts';
import { pagerdutyEvents } from '../../../src/notify/channels/pagerduty.ts';
import { bySeverity } from '../../../src/notify/outbox.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { HOUR, MINUTE, timeline } from '../../support/store/incident-timeline.ts';

const grave = causeOf('tls-intercepted');
const light = causeOf('mail-unreachable', { severity: 'warning' });

/** Returns the notifications for recipients of critical ones only, as `event cause cause …`. */
function heardOf(told: readonly Notification[]): readonly string[] {
  return told
    .map((notification) => bySeverity(notification, 'critical'))
    .filter((notification) => notification !== null)
    .map((heard) => [eventOf(heard), ...incidentsOf(heard).map(({ cause }) => cause.id)].join(' '));
}

const mails = (count: number): readonly Cause[] =>
  Array.from({ length: count }, (_, index) =>
    causeOf('mail-unreachable', { subject: `mail-${String(index)}`, severity: 'warning' }),
  );

describe('bySeverity()', () => {
  test('tells everything to those who want warnings', () => {
    const { told } = timeline()
      .rounds(3, [light])
      .rounds(5, [grave, ...mails(3)])
      .rounds(5, []);
    expect(told.length).toBeGreaterThan(3);
    for (const notification of told) expect(bySeverity(notification, 'warning')).toBe(notification);
  });

  test('tells nothing of a warning to those who want critical ones alone: neither beginning, reminder nor end', () => {
    const { told } = timeline()
      .rounds(3, [light])
      .wait(5 * HOUR)
      .rounds(2, [light])
      .rounds(5, []);
    expect(told.map(eventOf)).toEqual(['firing', 'reminder', 'resolved']);
    expect(heardOf(told)).toEqual([]);
  });

  test('tells a warning that turns out to be critical from then on, up to its end as a warning', () => {
    const worse = { ...light, severity: 'critical' } as const;
    const line = timeline()
      .rounds(3, [light])
      .rounds(3, [worse])
      .rounds(3, [light])
      .wait(5 * HOUR);
    const { told } = line.rounds(2, [light]).rounds(5, []);
    expect(told.map(eventOf)).toEqual(['firing', 'changed', 'reminder', 'resolved']);
    expect(heardOf(told)).toEqual(['changed', 'reminder', 'resolved'].map((event) => `${event} mail-unreachable`));
  });

  test('leaves of a digest what is grave enough, and how many more there are only where all of it is', () => {
    const critical = Array.from({ length: 3 }, (_, index) => causeOf('tls-intercepted', { subject: String(index) }));
    const { told } = timeline().rounds(2, [...critical, ...mails(110)]);
    const [, digest] = told;
    expect(digest).toMatchObject({ kind: 'digest', omitted: 12 });
    expect(heardOf(told)).toEqual(['firing tls-intercepted', 'digest tls-intercepted tls-intercepted']);
    expect(digest && bySeverity(digest, 'critical')).toMatchObject({ omitted: 0, omittedOpen: 0 });
    const over = timeline()
      .rounds(2, [...critical, ...mails(110)])
      .rounds(2, [])
      .told.at(-1);
    expect(over).toMatchObject({ kind: 'digest', items: { length: 100 }, omitted: 12, omittedOpen: 0 });
    expect(over && bySeverity(over, 'critical')).toMatchObject({ omitted: 0 });
    const [only] = timeline().rounds(2, mails(5)).told.slice(1);
    expect(only).toMatchObject({ kind: 'digest' });
    expect(only && bySeverity(only, 'critical')).toBeNull();
  });

  test('tells a test to everybody, and a note to those who want warnings', () => {
    const test_ = { kind: 'test', id: 'test-1', at: MINUTE } as const;
    const texts = { short: '', action: '', summary: '', sections: [] };
    const note = { kind: 'note', id: 'n', at: MINUTE, event: 'summary', tone: 'critical', ...texts } as const;
    expect([test_, note].map((one) => bySeverity(one, 'critical'))).toEqual([test_, null]);
    expect(bySeverity(note, 'warning')).toBe(note);
    expect(pagerdutyEvents(note, AT_HQ)).toEqual([]);
  });
});
