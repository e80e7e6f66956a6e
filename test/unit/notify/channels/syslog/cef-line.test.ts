import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../../../src/engine/model.ts';
import { eventOf, type Notification } from '../../../../../src/engine/incident/incident.ts';
import { syslogLines } from '../../../../../src/notify/channels/syslog.ts';
import { capital } from '../../../../../src/engine/words.ts';
import { headline } from '../../../../../src/checks/headline.ts';
import { causeOf } from '../../../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../../../support/checks/message-context.ts';
import { readCefEvent, type ReadCefEvent } from '../../../../support/notify/cef-event.ts';
import { samples } from '../../../../support/random/samples.ts';
import { anyText } from '../../../../support/security/any-text.ts';
import { HOUR, START, timeline } from '../../../../support/store/incident-timeline.ts';

const CEF = { format: 'cef', enterpriseNumber: 32_473 } as const;

function linesOf(notification: Notification, host = 'watch-1', site = 'hq'): readonly string[] {
  return syslogLines(notification, CEF, { ...AT_HQ, site, host });
}

function eventsOf(...[notification, host, site]: Parameters<typeof linesOf>): readonly ReadCefEvent[] {
  return linesOf(notification, host, site).map((line) => {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(2048);
    const [, severity = '', event = ''] =
      /^<(\d+)>1 \S+Z [!-~]{1,255} ftm-watch - [a-z]+ - (CEF:.*)$/su.exec(line) ?? [];
    // The severities of RFC 5424 and CEF agree.
    const read = readCefEvent(event);
    expect(({ 26: 9, 28: 6, 29: 3, 30: 1 } as const)[severity]).toBe(read.severity);
    return read;
  });
}

/** Notifications of every kind about these causes. */
function toldOf(cause: Cause, other: Cause): readonly Notification[] {
  const fleet = Array.from({ length: 40 }, (_, index) => causeOf('mail-unreachable', { subject: `m${String(index)}` }));
  const { told } = timeline()
    .rounds(3, [cause])
    .rounds(3, [other])
    .wait(5 * HOUR)
    .rounds(2, [other])
    .rounds(3, fleet)
    .rounds(8, []);
  const note = (event: 'restart' | 'summary'): Notification => ({
    kind: 'note',
    id: `${event}-1764334000000-a1b2c3d4e5`,
    at: START,
    event,
    tone: 'good',
    short: cause.summary,
    action: cause.impact,
    summary: cause.summary,
    sections: [{ title: 'Incidents', lines: cause.remedy }],
  });
  return [...told, note('restart'), note('summary'), { kind: 'test', id: 'test-1764334000000-a1b2c3d4e5', at: START }];
}

describe('an event in the Common Event Format', () => {
  const cause = causeOf('tls-intercepted');
  const told = toldOf(cause, causeOf('tls-blocked', { subject: cause.subject }));

  test('has the headline, the class, the times and the fields of an incident', () => {
    const [firing] = told;
    if (firing?.kind !== 'incident') throw new Error('Nothing was told');
    const [event] = eventsOf(firing);
    expect(event).toMatchObject({
      vendor: 'ftm-watch',
      product: 'ftm-watch',
      version: AT_HQ.version,
      eventClass: 'tls-intercepted',
      name: capital(headline(firing.incident.cause)),
      severity: 9,
      extension: {
        rt: String(firing.at),
        start: String(firing.incident.since),
        dvchost: 'watch-1',
        cat: 'firing',
        externalId: firing.id,
        cs1: 'hq',
        cs1Label: 'site',
        cs2: firing.incident.id,
        cs3: cause.subject,
        cs4: 'confirmed',
      },
    });
    expect(event?.extension['msg']?.split('\n')).toContain(cause.summary);
    expect(event?.extension).not.toHaveProperty('end');
  });

  test('is sent for every kind of message, and an end has its time', () => {
    expect(new Set(told.map((one) => (one.kind === 'digest' ? 'digest' : eventOf(one))))).toEqual(
      new Set(['firing', 'changed', 'reminder', 'resolved', 'digest', 'restart', 'summary', 'test']),
    );
    for (const notification of told)
      for (const { extension } of eventsOf(notification))
        expect(Object.hasOwn(extension, 'end')).toBe(extension['cat'] === 'resolved');
  });

  test('escapes what the format reserves', () => {
    const subject = String.raw`a|b=c\d`;
    const hostile = causeOf('tls-intercepted', { subject, product: subject, summary: `${subject}\u2028\n${subject}` });
    const [firing] = timeline().rounds(3, [hostile]).told;
    if (firing === undefined) throw new Error('Nothing was told');
    const [line = ''] = linesOf(firing);
    expect(line).toContain(String.raw`cs3=a|b\=c\\d cs3Label=subject`);
    const [event] = eventsOf(firing);
    expect(event?.name).toContain(subject);
    expect(event?.extension['cs3']).toBe(subject);
    expect(event?.extension['msg']?.split('\n')[0]).toBe(String.raw`a|b=c\d\u{2028}\u{A}a|b=c\d`);
  });

  test('keeps its form whatever it is made of', () => {
    const hostile = fc.oneof(
      anyText(3000),
      fc.array(fc.constantFrom('|', '\\', '=', ' ', '\n', '\r', 'CEF:0|', ' cs1=', '\u2028', '€', '😀'), {
        maxLength: 1000,
      }),
      fc.constantFrom('\\'.repeat(3000), '='.repeat(3000), '€'.repeat(3000), ' '.repeat(3000), ' msg=x'),
    );
    const text = hostile.map((value) => (typeof value === 'string' ? value : value.join('')));
    fc.assert(
      fc.property(text, text, text, (value, host, other) => {
        const of = (id: 'tls-intercepted' | 'tls-blocked') =>
          causeOf(id, { subject: value, product: other, summary: value, impact: other, remedy: [value, other] });
        for (const notification of toldOf(of('tls-intercepted'), of('tls-blocked')))
          for (const { eventClass } of eventsOf(notification, host)) expect(eventClass).toMatch(/^[a-z-]+$/u);
      }),
      { numRuns: samples(20) },
    );
  });
});
