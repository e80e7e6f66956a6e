import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { anyText } from '../../support/security/any-text.ts';
import {
  createAttribution,
  createUnknownSenderLog,
  createUnrecognisedLog,
  isReliable,
  sampleOf,
} from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR } from '../../support/time/units.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const two = [
  { name: 'fac-1', logSources: ['10.0.0.5', 'fac01.example.org'] },
  { name: 'fac-2', logSources: ['2001:db8::5', 'fac02'] },
];
const one = [{ name: 'fac-1', logSources: ['10.0.0.5'] }];
/** It names no source. */
const open = [{ name: 'fac-1', logSources: [] }];

describe('createAttribution()', () => {
  test.each<readonly [string, Parameters<typeof createAttribution>[0], readonly string[], unknown]>([
    ['10.0.0.5', two, [], { kind: 'appliance', appliance: 'fac-1', isKnown: true }],
    ['::ffff:10.0.0.5', two, [], { kind: 'appliance', appliance: 'fac-1', isKnown: true }],
    ['2001:DB8:0::5', two, [], { kind: 'appliance', appliance: 'fac-2', isKnown: true }],
    ['10.0.0.6', two, [], { kind: 'unproven' }],
    ['10.0.0.1', two, [], { kind: 'firewall' }],
    ['10.0.0.9', [], [], { kind: 'appliance', appliance: null, isKnown: false }],
    ['10.0.0.9', open, [], { kind: 'appliance', appliance: 'fac-1', isKnown: false }],
    ['10.0.0.9', one, [], { kind: 'foreign' }],
    ['10.0.0.9', [...open, { name: 'b', logSources: [] }], [], { kind: 'foreign' }],
    ['10.0.0.9', two, ['10.0.0.9'], { kind: 'relay' }],
    ['::ffff:10.1.2.3', two, ['10.1.0.0/16', '2001:db8:9::/48'], { kind: 'relay' }],
    ['2001:db8:9::1', two, ['10.1.0.0/16', '2001:db8:9::/48'], { kind: 'relay' }],
    ['10.0.0.8', two, ['10.0.0.9'], { kind: 'foreign' }],
    ['10.0.0.5', two, ['10.0.0.9'], { kind: 'appliance', appliance: 'fac-1', isKnown: true }],
    ['10.0.0.9', open, ['10.0.0.9'], { kind: 'appliance', appliance: 'fac-1', isKnown: true }],
    ['10.0.0.8', open, ['10.0.0.9'], { kind: 'foreign' }],
    ['10.0.0.8', [], ['10.0.0.9'], { kind: 'foreign' }],
  ])('says who sends from %s where the units are %j and the relays %j', (address, appliances, relays, origin) => {
    expect(createAttribution(appliances, { firewalls: ['10.0.0.1'], relays }).sender(address)).toEqual(origin);
  });

  test.each([
    ['fac01.example.org', 'fac-1'],
    ['FAC01.EXAMPLE.ORG', 'fac-1'],
    ['10.0.0.5', 'fac-1'],
    ['fac02', 'fac-2'],
    ['fac02.example.org', 'fac-2'],
    ['2001:db8:0:0::5', 'fac-2'],
    ['fac01', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('finds the owner of the host %s: %s', (host, appliance) => {
    expect(createAttribution(two, NO_OTHERS).host(host)).toBe(appliance);
  });

  test.each(['10.0.0.5', '2001:db8::5', '2001:DB8:0::5', 'fac01', 'constructor'])(
    'believes nobody who writes the host %s',
    (host) => {
      expect(createAttribution(two, NO_OTHERS).hostName(host)).toBeUndefined();
    },
  );

  test('believes a file, whatever sends over the network', () => {
    expect(createAttribution(two, NO_OTHERS).file()).toEqual({ kind: 'relay' });
    expect(createAttribution(two, { firewalls: [], relays: ['10.0.0.9'] }).file()).toEqual({ kind: 'relay' });
    expect(createAttribution([], NO_OTHERS).file()).toEqual({ kind: 'appliance', appliance: null, isKnown: true });
  });
});

const RELAYED = { firewalls: [], relays: ['10.0.0.9'] };

test.each<readonly [string, Parameters<typeof createAttribution>, string, boolean]>([
  ['a unit', [two, NO_OTHERS], '10.0.0.5', true],
  ['a relay', [two, RELAYED], '10.0.0.9', true],
  ['a relay, without units', [[], RELAYED], '10.0.0.9', true],
  ['a firewall', [two, { firewalls: ['10.0.0.1'], relays: [] }], '10.0.0.1', true],
  ['a unit that is known by name', [two, NO_OTHERS], '10.9.9.9', false],
  ['anybody, as no unit is known', [[], NO_OTHERS], '10.9.9.9', false],
  ['anybody, as the only unit names no source', [open, NO_OTHERS], '10.9.9.9', false],
])('a connection from %s is reliable, or not; a datagram never is, a file always', (...row) => {
  const [, site, address, reliable] = row;
  const attribution = createAttribution(...site);
  const origin = attribution.sender(address);
  expect(isReliable({ origin, source: 'tcp' })).toBe(reliable);
  expect(isReliable({ origin, source: 'tls' })).toBe(reliable);
  expect(isReliable({ origin, source: 'udp' })).toBe(false);
  expect(isReliable({ origin: attribution.file(), source: 'file' })).toBe(true);
});

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

describe('sampleOf', () => {
  test.each([
    ['an ordinary line', 'FTM polling error: SSL session failed', 'FTM polling error: SSL session failed'],
    ['terminal sequences', 'a\x1b[2Jb\x07', 'a\u{FFFD}[2Jb\u{FFFD}'],
    ['line breaks', 'a\r\nb', 'a\u{FFFD}\u{FFFD}b'],
    ['text that runs backwards', 'a\u{202E}b\u{2028}c', 'a\u{FFFD}b\u{FFFD}c'],
    ['an activation code', 'code 0A1B-2C3D-4E5F-6071-8293 sent', 'code <code> sent'],
    ['half a surrogate pair', 'a\u{D800}b', 'a\u{FFFD}b'],
  ])('makes %s fit for people', (_, line, sample) => {
    expect(sampleOf(line)).toBe(sample);
  });

  test.each([1022, 1023, 3998, 3999])('has no half character where it is cut, after %i', (length) => {
    // Masking shortens the line, so either of the two cuts can be the final one.
    for (const head of ['', 'code 0A1B-2C3D-4E5F-6071-8293 '.repeat(200)])
      expect(sampleOf(`${head}${'a'.repeat(length - 1)}${'𝕏'.repeat(3000)}`)).not.toMatch(/\p{Cs}/u);
  });

  test('is short and holds nothing that acts, whatever the line', () => {
    fc.assert(
      fc.property(anyText(3000), (line) => {
        const sample = sampleOf(line);
        expect(sample.length).toBeLessThanOrEqual(1024 + 10);
        expect(sample).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});

const LINE = '<14>Aug 14 22:32:52 fac01 db[16987]: x';

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
