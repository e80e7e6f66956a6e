import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cron, isHost, parseHostPort, parseListenAddress, schedule } from '../../../src/config/schema/section.ts';
import { formatDuration, parseDuration } from '../../../src/core/time-text.ts';
import { authority } from '../../../src/core/addresses.ts';
import { resolvers } from '../../../src/config/schema/secret.ts';
import { showValue } from '../../../src/text/show.ts';

describe('parseDuration', () => {
  test.each([
    ['1s', 1000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['4h', 14_400_000],
    ['7d', 604_800_000],
  ])('reads %s', (text, millis) => {
    expect(parseDuration(text)).toBe(millis);
  });

  test.each(['', '0s', '05m', '1.5h', '-1s', '1w', '1M', '1 h', '1h30m', 's', '1s\n', '１s', '9999999999d'])(
    'refuses "%s"',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  test('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
  });
});

describe('isHost', () => {
  test.each(
    (
      'localhost a fortitokenmobile.fortinet.com mail_relay.local xn--bcher-kva.example 10.0.0.5 ' +
      '2001:db8::1 9.example'
    ).split(' '),
  )('takes "%s"', (text) => {
    expect(isHost(text)).toBe(true);
  });

  test.each([
    '',
    'a b',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}b`,
    ...'. a..b a. -a a- bücher.example 10.0.0 10.0.0.300 256 http://a a/b a:1'.split(' '),
  ])('refuses "%s"', (text) => {
    expect(isHost(text)).toBe(false);
  });
});

describe('parseHostPort', () => {
  test.each([
    ['www.example.org', { host: 'www.example.org', port: 443 }],
    ['www.example.org:8443', { host: 'www.example.org', port: 8443 }],
    ['10.0.0.5:1', { host: '10.0.0.5', port: 1 }],
    ['[2001:db8::1]:65535', { host: '2001:db8::1', port: 65_535 }],
    ['[2001:db8::1]', { host: '2001:db8::1', port: 443 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 443 }],
  ])('reads %s', (text, expected) => {
    expect(parseHostPort(text, 443)).toEqual(expected);
  });

  test.each(['', 'a b:1', ...':443 a: a:0 a:65536 a:443x [10.0.0.5]:443 [a]:443 [::1 a:1:2 https://a'.split(' ')])(
    'refuses "%s"',
    (text) => {
      expect(parseHostPort(text, 443)).toBeNull();
    },
  );

  test('reads back what authority() writes', () => {
    const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()).filter(isHost);
    fc.assert(
      fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(parseHostPort(authority({ host, port }), null)).toEqual({ host, port });
      }),
    );
  });
});

describe('parseListenAddress', () => {
  test.each([
    ['127.0.0.1:9843', { address: '127.0.0.1', port: 9843 }],
    ['[::]:0', { address: '::', port: 0 }],
    ['localhost:80', { address: 'localhost', port: 80 }],
  ])('reads %s', (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
  });

  test.each(['', '9843', ':9843', '127.0.0.1', '::1', 'example.org:80', '127.0.0.1:65536'])('refuses "%s"', (text) => {
    expect(parseListenAddress(text)).toBeNull();
  });
});

describe('a resolver', () => {
  test.each([
    ['system', { kind: 'system' }],
    ['10.0.0.53', { kind: 'udp', host: '10.0.0.53', port: 53 }],
    ['10.0.0.53:5353', { kind: 'udp', host: '10.0.0.53', port: 5353 }],
    ['2001:db8::53', { kind: 'udp', host: '2001:db8::53', port: 53 }],
    ['udp://10.0.0.53:53', { kind: 'udp', host: '10.0.0.53', port: 53 }],
    ['tcp://[2001:db8::53]:5353', { kind: 'tcp', host: '2001:db8::53', port: 5353 }],
    ['tls://9.9.9.9', { kind: 'tls', host: '9.9.9.9', port: 853 }],
    ['tls://dns.example.org/', { kind: 'tls', host: 'dns.example.org', port: 853 }],
    ['https://dns.example/dns-query', { kind: 'https', url: 'https://dns.example/dns-query' }],
  ])('reads %s', (text, expected) => {
    const read = resolvers.parse([text]);
    expect(read).toEqual([{ label: text, ...expected }]);
  });

  test.each([
    '',
    ...(
      'System dns.example.org udp://dns.example.org tcp:// tls://a/b http://dns.example/dns-query ' +
      'https:// https://u:p@dns.example/ quic://9.9.9.9'
    ).split(' '),
  ])('refuses "%s"', (text) => {
    expect(resolvers.safeParse([text]).success).toBe(false);
  });
});

describe('cron expressions', () => {
  const isCronWithSeconds = (probes: string): boolean => schedule.safeParse({ probes }).success;
  const isCronOfMinutes = (text: string): boolean => cron.safeParse(text).success;

  test.each(['*/30 * * * * *', '0 0 */6 * * *', '0 30 2 * * mon-fri', '0 0 6-22 L apr-jul *'])(
    '"%s" has seconds',
    (text) => {
      expect([isCronWithSeconds(text), isCronOfMinutes(text)]).toEqual([true, false]);
    },
  );

  test.each(['0 2 * * 0', '*/5 8-18 1,15 jan mon-fri', '0 2 * * 7', '30 2 1-31/2 * *'])(
    '"%s" begins with the minutes',
    (text) => {
      expect([isCronWithSeconds(text), isCronOfMinutes(text)]).toEqual([false, true]);
    },
  );

  test.each([
    '',
    '@daily',
    '* * * *',
    '60 * * * *',
    '0 22-2 * * *',
    '0 2 * * fri-mon',
    '0 2 L * *',
    '0 2 * * 1#2',
    '0 2 * * 0,',
    '0 2 ? * *',
    '61 * * * * *',
    '0 0 2 L-3 * *',
    '0 0 22-6 * * *',
    '0 0 2 * * monday',
    '*/90 0 2 * * *',
  ])('"%s" is none', (text) => {
    expect([isCronWithSeconds(text), isCronOfMinutes(text)]).toEqual([false, false]);
  });
});

describe('showValue', () => {
  test.each<readonly [unknown, string]>([
    ['a"b', '"a"b"'],
    ['line\nbreak', String.raw`"line\u{A}break"`],
    ['https://user:pa/ss@word@host/path', '"https://…@host/path"'],
    [7, '7'],
    [null, 'nothing'],
    [[1], 'a list'],
    [{ a: 1 }, 'a section'],
  ])('shows %j', (value, shown) => {
    expect(showValue(value)).toBe(shown);
  });

  test('cuts long texts', () => {
    expect(showValue('x'.repeat(1000))).toHaveLength(82);
  });
});
