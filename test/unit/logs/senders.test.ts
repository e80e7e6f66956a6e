import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  createAttribution,
  createUnknownSenderLog,
  createUnrecognisedLog,
  furtherHosts,
  hostInLine,
  isNameless,
  isReliable,
  sampleOf,
} from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import type { FramedLine } from '../../../src/logs/framing.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const two = [
  { name: 'fac-1', logSources: ['10.0.0.5', 'fac01.example.org'] },
  { name: 'fac-2', logSources: ['2001:db8::5', 'fac02'] },
];

describe('createAttribution', () => {
  test('welcomes everybody while no appliance is configured', () => {
    const attribution = createAttribution([], NO_OTHERS);
    expect(attribution.sender('10.9.9.9')).toEqual({ kind: 'appliance', appliance: null, isKnown: false });
    expect(attribution.file()).toEqual({ kind: 'appliance', appliance: null, isKnown: true });
  });

  test.each([
    { address: '10.0.0.5', origin: { kind: 'appliance', appliance: 'fac-1', isKnown: true } },
    { address: '::ffff:10.0.0.5', origin: { kind: 'appliance', appliance: 'fac-1', isKnown: true } },
    { address: '2001:DB8:0::5', origin: { kind: 'appliance', appliance: 'fac-2', isKnown: true } },
    { address: '10.0.0.6', origin: { kind: 'unproven' } },
    { address: '10.0.0.1', origin: { kind: 'firewall' } },
  ])('knows $address', ({ address, origin }) => {
    expect(createAttribution(two, { firewalls: ['10.0.0.1'], relays: [] }).sender(address)).toEqual(origin);
  });

  test.each([
    { host: 'fac01.example.org', appliance: 'fac-1' },
    { host: 'FAC01.EXAMPLE.ORG', appliance: 'fac-1' },
    { host: '10.0.0.5', appliance: 'fac-1' },
    { host: 'fac02', appliance: 'fac-2' },
    { host: 'fac02.example.org', appliance: 'fac-2' },
    { host: '2001:db8:0:0::5', appliance: 'fac-2' },
    { host: 'fac01', appliance: undefined },
    { host: 'constructor', appliance: undefined },
    { host: '__proto__', appliance: undefined },
  ])('finds the owner of the host $host', ({ host, appliance }) => {
    expect(createAttribution(two, NO_OTHERS).host(host)).toBe(appliance);
  });

  test.each(['10.0.0.5', '2001:db8::5', '2001:DB8:0::5', 'fac01', 'constructor'])(
    'believes nobody who writes the host %s',
    (host) => {
      expect(createAttribution(two, NO_OTHERS).hostName(host)).toBeUndefined();
    },
  );

  test.each([
    { appliances: two, relays: [], address: '10.0.0.9', kind: 'unproven' },
    { appliances: [{ name: 'fac-1', logSources: ['10.0.0.5'] }], relays: [], address: '10.0.0.9', kind: 'foreign' },
    { appliances: two, relays: ['10.0.0.9'], address: '10.0.0.9', kind: 'relay' },
    { appliances: two, relays: ['10.1.0.0/16', '2001:db8:9::/48'], address: '::ffff:10.1.2.3', kind: 'relay' },
    { appliances: two, relays: ['10.1.0.0/16', '2001:db8:9::/48'], address: '2001:db8:9::1', kind: 'relay' },
    { appliances: two, relays: ['10.0.0.9'], address: '10.0.0.8', kind: 'foreign' },
    { appliances: two, relays: ['10.0.0.9'], address: '10.0.0.5', kind: 'appliance' },
    { appliances: [{ name: 'fac-1', logSources: [] }], relays: ['10.0.0.9'], address: '10.0.0.9', kind: 'appliance' },
    { appliances: [{ name: 'fac-1', logSources: [] }], relays: ['10.0.0.9'], address: '10.0.0.8', kind: 'foreign' },
    { appliances: [], relays: ['10.0.0.9'], address: '10.0.0.8', kind: 'foreign' },
  ])('takes $address for $kind where the relays are $relays', ({ appliances, relays, address, kind }) => {
    expect(createAttribution(appliances, { firewalls: [], relays }).sender(address).kind).toBe(kind);
  });

  test('believes a file, whatever sends over the network', () => {
    expect(createAttribution(two, NO_OTHERS).file()).toEqual({ kind: 'relay' });
    expect(createAttribution(two, { firewalls: [], relays: ['10.0.0.9'] }).file()).toEqual({ kind: 'relay' });
  });

  test('gives every line to an only appliance that names no source', () => {
    expect(createAttribution([{ name: 'fac-1', logSources: [] }], NO_OTHERS).sender('10.9.9.9')).toEqual({
      kind: 'appliance',
      appliance: 'fac-1',
      isKnown: false,
    });
  });

  test('calls everybody foreign when several appliances name no source', () => {
    const attribution = createAttribution(
      [
        { name: 'a', logSources: [] },
        { name: 'b', logSources: [] },
      ],
      NO_OTHERS,
    );
    expect(attribution.sender('10.9.9.9')).toEqual({ kind: 'foreign' });
  });
});

test.each<{ from: string; site: Parameters<typeof createAttribution>; address: string; reliable: boolean }>([
  { from: 'a unit', site: [two, NO_OTHERS], address: '10.0.0.5', reliable: true },
  { from: 'a relay', site: [two, { firewalls: [], relays: ['10.0.0.9'] }], address: '10.0.0.9', reliable: true },
  {
    from: 'a relay, without units',
    site: [[], { firewalls: [], relays: ['10.0.0.9'] }],
    address: '10.0.0.9',
    reliable: true,
  },
  { from: 'a firewall', site: [two, { firewalls: ['10.0.0.1'], relays: [] }], address: '10.0.0.1', reliable: true },
  { from: 'a unit that is known by name', site: [two, NO_OTHERS], address: '10.9.9.9', reliable: false },
  { from: 'anybody, as no unit is known', site: [[], NO_OTHERS], address: '10.9.9.9', reliable: false },
  {
    from: 'anybody, as the only unit names no source',
    site: [[{ name: 'fac-1', logSources: [] }], NO_OTHERS],
    address: '10.9.9.9',
    reliable: false,
  },
])(
  'a connection from $from is reliable: $reliable; a datagram never is, a file always',
  ({ site, address, reliable }) => {
    const attribution = createAttribution(...site);
    const origin = attribution.sender(address);
    expect(isReliable({ origin, source: 'tcp' })).toBe(reliable);
    expect(isReliable({ origin, source: 'tls' })).toBe(reliable);
    expect(isReliable({ origin, source: 'udp' })).toBe(false);
    expect(isReliable({ origin: attribution.file(), source: 'file' })).toBe(true);
  },
);

describe('a log source', () => {
  test.each([
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['FAC01', 'fac01'],
    ['5', '5'],
  ])('%s is the same as %s', (host, logSource) => {
    expect(createAttribution([{ name: 'fac', logSources: [logSource] }], NO_OTHERS).host(host)).toBe('fac');
  });

  test('5 is not the address 0.0.0.5', () => {
    expect(createAttribution([{ name: 'fac', logSources: ['5'] }], NO_OTHERS).host('0.0.0.5')).toBeUndefined();
  });
});

describe('hostInLine', () => {
  test.each([
    { line: '<14>Aug 14 22:32:52 fac01 db[16987]:  category="Event"', host: 'fac01' },
    { line: '<14>Aug  4 22:32:52 10.0.0.5 db[16987]:  category="Event"', host: '10.0.0.5' },
    { line: '<14>Aug 14 22:32:52 db[16987]:  category="Event"', host: null },
    { line: '<14>Aug 14 22:32:52 db: category="Event"', host: null },
    { line: '2021-07-08T11:01:06-03:00 fac01 db[32167]:  category="Event"', host: 'fac01' },
    { line: '<12>1 2026-11-24T11:01:06Z fac01 db 16987 - - x', host: 'fac01' },
    { line: 'fac01 db[18260]: category="Event"', host: 'fac01' },
    { line: '', host: null },
    { line: '<14>', host: null },
    { line: `<14>Aug 14 22:32:52 ${'x'.repeat(300)} db[1]:`, host: null },
  ])('reads the host of "$line"', ({ line, host }) => {
    expect(hostInLine(line, 0, line.length)).toBe(host);
    expect(hostInLine(`first\n${line}\nlast one`, 6, 6 + line.length)).toBe(host);
  });
});

describe('furtherHosts', () => {
  test.each([
    { line: '<14>Nov 25 10:00:00 relay01 <12>Aug 14 22:40:02 fac01 db[1]: x', hosts: ['relay01', 'fac01'] },
    { line: 'Nov 25 10:00:00 relay01 Aug 14 22:40:02 fac01 db[1]: x', hosts: ['relay01', 'fac01'] },
    {
      line: '<14>1 2026-11-25T10:00:00Z relay01 - - - - <12>Aug 14 22:40:02 fac01 db[1]: x',
      hosts: ['relay01', 'fac01'],
    },
    { line: '2026-04-08 22:40:02 fac01 db[1]: x', hosts: ['fac01'] },
    { line: '2026-04-08 22:40:02\tLocal4.Warning\t10.0.0.5\tdb[1]: x', hosts: ['10.0.0.5'] },
    { line: '<12>AUG 14 22:40:02 UTC fac01 db[1]: x', hosts: ['fac01'] },
    { line: '<12> Aug 14 22:40:02 fac01 db[1]: x', hosts: ['fac01'] },
    { line: '<6>Aug 10 22:18:24 2009  fac01 db[1]: x', hosts: ['fac01'] },
    { line: '2026 Jun 16 00:00:00 fac01->10.0.0.1 Aug 14 22:32:52 db[1]: x', hosts: ['fac01', '10.0.0.1'] },
    { line: '<12>Aug 14 22:40:02 fac01 db[1]: x', hosts: [] },
    { line: '2021-07-08T11:01:06-03:00 fac01 db[32167]:  category="Event"', hosts: [] },
  ])('of "$line"', ({ line, hosts }) => {
    expect(furtherHosts(`first\n${line}\nlast one`, 6, 6 + line.length).flat()).toEqual(hosts);
  });
});

describe('isNameless', () => {
  test.each([
    { line: '<14>Aug 14 22:32:52 db[1]:  category="Event" status="" x', nameless: true },
    { line: '<14>Aug 14 22:32:52 fac01 db[1]:  category="Event" status="" x', nameless: false },
    { line: '<14>Aug 14 22:32:52 sshd[1]: Invalid user', nameless: false },
    { line: 'date=2025-06-04 time=20:13:33+0000 oid=1 cat="Event" msg="x" user=""', nameless: true },
    { line: 'date=2025-06-04 time=20:13:33 devname="fgt" subtype="ssl"', nameless: false },
  ])('says of "$line": $nameless', ({ line, nameless }) => {
    expect(isNameless(`x${line}`, 1, 1 + line.length)).toBe(nameless);
  });
});

describe('sampleOf', () => {
  test.each([
    {
      name: 'an ordinary line',
      line: 'FTM polling error: SSL session failed',
      sample: 'FTM polling error: SSL session failed',
    },
    { name: 'terminal sequences', line: 'a\x1b[2Jb\x07', sample: 'a\u{FFFD}[2Jb\u{FFFD}' },
    { name: 'line breaks', line: 'a\r\nb', sample: 'a\u{FFFD}\u{FFFD}b' },
    { name: 'text that runs backwards', line: 'a\u{202E}b\u{2028}c', sample: 'a\u{FFFD}b\u{FFFD}c' },
    { name: 'an activation code', line: 'code 0A1B-2C3D-4E5F-6071-8293 sent', sample: 'code <code> sent' },
    { name: 'half a surrogate pair', line: 'a\u{D800}b', sample: 'a\u{FFFD}b' },
  ])('makes $name fit for people', ({ line, sample }) => {
    expect(sampleOf(line)).toBe(sample);
  });

  test.each([1022, 1023, 3998, 3999])('has no half character where it is cut, after %i', (length) => {
    // Masking shortens the line, so either of the two cuts can be the final one.
    for (const head of ['', 'code 0A1B-2C3D-4E5F-6071-8293 '.repeat(200)])
      expect(sampleOf(`${head}${'a'.repeat(length - 1)}${'𝕏'.repeat(3000)}`)).not.toMatch(/\p{Cs}/u);
  });

  test('is short and holds nothing that acts, whatever the line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (line) => {
        const sample = sampleOf(line);
        expect(sample.length).toBeLessThanOrEqual(1024 + 10);
        expect(sample).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});

const HOUR = 3_600_000;
const TEXT = '<14>Aug 14 22:32:52 fac01 db[16987]: x';
const LINE: FramedLine = { bytes: Buffer.from(TEXT), text: TEXT, start: 0, end: TEXT.length, cut: false };

describe('the notice about lines that no signature knows', () => {
  test('is logged once for each sender, of 50 within an hour, and has a turn for the next one after that', () => {
    const clock = handClock(0);
    const logger = logRecorder();
    const log = createUnrecognisedLog({ clock, logger });
    for (let index = 0; index < 1_000; index += 1) log(`10.0.0.${String(index)}`, 'FTM: unheard of');
    expect(logger.lines).toHaveLength(50);

    log('10.9.9.9', 'FTM: unheard of');
    clock.advance(HOUR);
    log('10.9.9.9', 'FTM: unheard of');
    log('10.9.9.9', 'FTM: unheard of');
    expect(logger.lines.slice(50).map(({ fields }) => fields)).toMatchObject([{ sender: '10.9.9.9' }]);
  });
});

describe('the notice about strangers', () => {
  test('tells of each once, and of 50 within an hour', () => {
    const logger = logRecorder();
    const log = createUnknownSenderLog({ clock: handClock(0), logger });

    for (const times of [1, 2])
      for (let index = 0; index < 100; index += 1) log.note(`10.0.${String(times)}.${String(index % 60)}`, LINE);

    expect(logger.lines).toHaveLength(50);
    expect(logger.lines[0]?.fields).toEqual({ sender: '10.0.1.0', hostInLine: 'fac01' });
    expect(log.senders()).toHaveLength(50);
  });

  test('does not end after that: the next one has its turn', () => {
    const clock = handClock(0);
    const logger = logRecorder();
    const log = createUnknownSenderLog({ clock, logger });
    for (let index = 0; index < 1000; index += 1) log.note(`10.0.0.${String(index)}`, LINE);

    clock.advance(HOUR);
    log.note('10.9.9.9', LINE);

    expect(logger.lines.at(-1)?.fields).toMatchObject({ sender: '10.9.9.9' });
    expect(log.senders()).toHaveLength(50);
    expect(log.senders().at(-1)).toBe('10.9.9.9');
  });
});
