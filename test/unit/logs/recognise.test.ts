import fc from 'fast-check';
import { anyText } from '../../support/security/any-text.ts';
import { describe, expect, test } from 'vitest';
import { recogniseLine } from '../../../src/logs/reader.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';
import { samples } from '../../support/random/samples.ts';

const catalogue = await shippedCatalogue();
const idOf = (line: string): string | null => recogniseLine(catalogue, line)?.signature.id ?? null;

/** Returns the lines of a fixture with the text in front of each. */
function named(fixture: string): readonly (readonly [name: string, line: string])[] {
  return fixtureLines(fixture).map((entry) => {
    const [name = '', ...line] = entry.split(' | ');
    return [name, line.join(' | ')];
  });
}

const MESSAGES = named('messages.txt');
const ATTACK = 'FTM polling error: SSL session failed';

describe('recogniseLine', () => {
  test.each(named('envelopes.txt'))('finds every message %s', (_, line) => {
    expect(MESSAGES.map(([, message]) => idOf(line.replace('%s', () => message)))).toEqual(MESSAGES.map(([id]) => id));
  });

  test('takes the published samples as their comments say', () => {
    const found = fixtureLines('fac-syslog-samples.txt').map(idOf);
    expect(found).toEqual([
      ...Array.from({ length: 10 }, () => null),
      'hardware-token-retry-failed',
      'hardware-token-serial-invalid',
      'hardware-token-activated-elsewhere',
      ...Array.from({ length: 6 }, () => null),
      'ssl-session-failed',
      'ftm-polling-timeout',
      'ftm-polling-ssl',
      'ftm-ha-serial-not-registered',
      'push-failed',
      'ftm-polling-ssl',
    ]);
  });

  test.each(named('forged-lines.txt'))('is not fooled by %s', (_, line) => {
    expect(idOf(line.replace('%s', () => ATTACK))).toBeNull();
  });

  test('reads from a FortiGate line who inspects what', () => {
    const found = fixtureLines('fortigate-samples.txt').map((line) => recogniseLine(catalogue, line));
    expect(found.map((one) => one?.signature.id ?? null)).toEqual([
      'firewall-resigned-untrusted',
      'firewall-resigned-untrusted',
      'firewall-blocked-tls',
      null,
    ]);
    expect(found[0]).toMatchObject({
      evidence: {
        device: null,
        policy: '20',
        profile: 'custom-deep-inspection',
        action: 'resign-as-untrusted',
        sourceAddress: '10.0.0.5',
        destinationAddress: '173.243.138.84',
        hostName: 'fortitokenmobile.fortinet.com',
      },
    });
    expect(found[2]).toMatchObject({ evidence: { device: 'fgt-1', policy: '1', profile: null, hostName: null } });
  });

  test('survives any input, and names only signatures of the catalogue', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '<12>',
        'Aug 14 22:40:02 ',
        '1 2026-11-24T11:01:06Z ',
        'db[1]: ',
        'category="',
        ' status="',
        '" ',
        'msg="',
        'date=2025-06-04 ',
        'oid=1 ',
        ...MESSAGES.map(([, message]) => message),
      ),
      anyText(30),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const id = idOf(parts.join(''));
        expect(id === null || catalogue.byId.has(id)).toBe(true);
      }),
      { numRuns: samples(60) },
    );
  });

  test.each([
    { name: 'quotes', line: 'date=1 oid=1 '.concat('a="'.repeat(2700)) },
    { name: 'blanks', line: `date=2025-06-04 time=20:13:33 oid=1 msg="${'" '.repeat(4000)}` },
    { name: 'fields', line: `category="x" status="" ${'a="" '.repeat(1600)}` },
    { name: 'statuses', line: `category="x"${' status="'.repeat(900)}` },
    { name: 'brackets', line: `<1>1 - - - - - ${'[a="b"'.repeat(1300)}` },
    { name: 'texts', line: 'FTM polling '.repeat(680) },
    { name: 'statuses without quotes', line: `category="x"${' status=a b=" c="'.repeat(500)}` },
    { name: 'equals signs before statuses', line: `category="x" ${'='.repeat(4000)}${' status='.repeat(500)}` },
    { name: 'quotes behind msg=', line: `status=x msg="${'" a'.repeat(2700)}` },
    { name: 'arrows', line: `2026 Jun 16 00:00:00 ${'a->'.repeat(2700)}` },
    { name: 'headers', line: '<12>Aug 14 22:40:02 h '.repeat(370) },
    { name: 'an extension of CEF', line: `CEF:0|a|b|c|d|e|f|${' msg=a'.repeat(1300)}` },
    { name: 'words of CEF', line: `CEF:0|a|b|c|d|e|f|msg=${' aaaaaaaaaaaaaaa'.repeat(500)}` },
  ])('takes no longer for 8 KiB of $name', ({ line }) => {
    const spent = cpuMsOf(() => {
      for (let time = 0; time < 20; time += 1) recogniseLine(catalogue, line);
    });
    expect(spent / 20).toBeLessThan(10);
  });
});
