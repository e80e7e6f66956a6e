import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { syslogLine } from '../../../../../src/notify/channels/syslog.ts';
import { anyText } from '../../../../support/security/any-text.ts';
import { START } from '../../../../support/store/incident-timeline.ts';

const EVENT: Parameters<typeof syslogLine>[0] = {
  at: START,
  severity: 2,
  host: 'watch-1.example.org',
  messageId: 'firing',
  parameters: { site: 'hq' },
  message: 'FIRING hq: something',
};

const NUMBER = 32_473;

/** The ABNF of RFC 5424 §6. */
const RFC5424 = new RegExp(
  String.raw`^<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} ` +
    String.raw`(?:\[[!#-<>-\\^-~]{1,32}(?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+ .*$`,
  'u',
);

describe('syslogLine()', () => {
  test('is a message of RFC 5424', () => {
    expect(syslogLine(EVENT, 52_000)).toBe(
      '<26>1 2026-11-24T13:00:00.000Z watch-1.example.org ftm-watch - firing [ftm-watch@52000 site="hq"] ' +
        'FIRING hq: something',
    );
  });

  test('escapes values, and marks what is not ASCII as UTF-8', () => {
    const line = syslogLine({ ...EVENT, parameters: { site: 'a"b\\c]d\ne' }, message: 'FIRING Zürich: x' }, NUMBER);
    expect(line).toContain(String.raw`[ftm-watch@32473 site="a\"b\\c\]d\\u{A}e"]`);
    expect(line.endsWith('] \u{FEFF}FIRING Zürich: x')).toBe(true);
  });

  test('names no host where the machine has no name that could stand there', () => {
    expect(syslogLine({ ...EVENT, host: 'ü \n' }, NUMBER)).toContain('Z - ftm-watch ');
  });

  test('keeps its form whatever it is made of, in 2048 bytes and one line', () => {
    const any = anyText(3000);
    fc.assert(
      fc.property(any, any, any, (site, host, message) => {
        const line = syslogLine({ ...EVENT, host, parameters: { site, subject: message }, message }, NUMBER);
        expect(line).toMatch(RFC5424);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(2048);
        expect(Buffer.from(line, 'utf8').toString('utf8')).toBe(line);
      }),
    );
  });
});
