import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RoundFacts } from '../../../src/checks/check.ts';
import type { FaultId } from '../../../src/checks/registry.ts';
import { FLAW_RULE, OLDER_TLS_RULE } from '../../../src/checks/tls-genuine/expectations.ts';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import { pollingReport } from '../../../src/core/polling/report.ts';
import { emptyPolling, recordEvents, type PollingState } from '../../../src/core/polling/state.ts';
import { compareSeverity } from '../../../src/core/severity.ts';
import { isCorroborated } from '../../../src/engine/diagnose.ts';
import type { Cause, Diagnosis } from '../../../src/engine/model.ts';
import { EventOutbox, LogReader } from '../../../src/logs/reader.ts';
import { createAttribution, type Origin } from '../../../src/logs/senders.ts';
import { newLineTally } from '../../../src/logs/tally.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/checks/conclude.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { response, type Shown, shown } from '../../support/checks/facts.ts';
import { finding } from '../../support/checks/judged-round.ts';
import { UNREACHABLE, WORKING } from '../../support/checks/mail-seen.ts';
import { failed, picture } from '../../support/checks/observed.ts';
import { configOf } from '../../support/config/config-of.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { samples } from '../../support/random/samples.ts';
import { MINUTE, SECOND } from '../../support/time/units.ts';

/** The nightly run covers a hundred thousand. */
const SEQUENCES = samples(200);

const LICENSE = 'EFTM000000000001';

const T0 = Date.UTC(2026, 10, 24, 12);
/** A round at the end of each of these minutes. */
const ROUNDS = [3, 6, 9, 12, 15, 18];

const UNITS = { 'fac-1': '10.0.0.5', 'fac-2': '10.0.0.6' } as const;
const FIREWALL = '10.0.0.1';
const config = await configOf(`
appliances:
  - name: fac-1
    api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }
    logSources: [10.0.0.5, fac-1]
    licenses: [EFTM000000000001]
  - { name: fac-2, logSources: [10.0.0.6, fac-2] }
registration: { user: monitor, passwordEnv: SET_SECRET }
logs: { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' }, window: 5m, silentAfter: 6m }
`);
const signatures = await shippedCatalogue();
const attribution = createAttribution(config.appliances, { firewalls: [FIREWALL], relays: [] });
const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24'], sources: ['10.0.0.5'] };

const MESSAGES = [
  'Administrator logged out',
  'FTM polling error: connection timeout',
  'FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed',
  'FTM polling error: something else',
  'FTM provision error: token does not belong to product',
  'FTM provision error: something else',
];

interface Line {
  readonly at: number;
  readonly text: string;
  /** Address of the sender, as the operating system reports it. */
  readonly from: string;
  readonly source: 'udp' | 'tcp' | 'tls' | 'file';
  /** Absent if the address of the sender decides. */
  readonly origin?: Origin;
}

const moment = fc.integer({ min: 0, max: 18 * 60 }).map((second) => T0 + second * SECOND);
const unit = fc.constantFrom(...Object.entries(UNITS));

function errorLine(message: string): string {
  return `<12>Aug 14 22:40:03 db[1]:  category="Event" typeid=0 user="" action="" status="" ${message}`;
}

function ofUnit(source: Line['source']): fc.Arbitrary<Line> {
  return fc
    .record({ at: moment, unit, message: fc.constantFrom(...MESSAGES) })
    .map(({ at, unit: [, from], message }) => ({
      at,
      from,
      source,
      text: errorLine(message),
    }));
}

function ofFirewall(source: Line['source']): fc.Arbitrary<Line> {
  return fc
    .record({ at: moment, policy: fc.integer({ min: 1, max: 30 }) })
    .map(({ at, policy }) => ({ at, from: FIREWALL, source, text: firewallLine(policy) }));
}

/** The time is T0 in the time zone of the tests. */
function firewallLine(policy: number): string {
  return (
    '<12>date=2026-11-25 time=01:45:00 devname="fgt" logid="1700062302" type="utm" subtype="ssl" ' +
    `action="resign-as-untrusted" policyid=${String(policy)} profile="deep" srcip=10.0.0.5 dstip=173.243.138.84 ` +
    'hostname="fortitokenmobile.fortinet.com"'
  );
}

/** Anybody can send these: datagrams, and lines over TCP in which only the host name is a unit's. */
const unproven: fc.Arbitrary<Line> = fc.oneof(
  { weight: 3, arbitrary: ofUnit('udp') },
  { weight: 2, arbitrary: ofFirewall('udp') },
  {
    weight: 1,
    arbitrary: fc.tuple(ofUnit('tcp'), unit).map(([line, [name]]) => ({
      ...line,
      from: '10.9.9.9',
      text: line.text.replace(' db[', ` ${name} db[`),
    })),
  },
);
const reliable: fc.Arbitrary<Line> = fc.oneof({ weight: 4, arbitrary: ofUnit('tcp') }, ofFirewall('tcp'));

/** By the cause that the round shows. */
const FAULTS: readonly (readonly [FaultId, Shown])[] = [
  ['internet-unreachable', { isOffline: true }],
  ['egress-blocked', { port: failed('timeout') }],
  ...(
    [
      ['tls-blocked', {}],
      ['tls-intercepted', {}],
      ['certificate-broken', { rule: FLAW_RULE }],
      ['certificate-broken', { rule: FLAW_RULE, level: 'warning' }],
      ['tls-interception-suspected', { rule: OLDER_TLS_RULE }],
      ['tls-blocked', { rule: OLDER_TLS_RULE, level: 'warning', confidence: 'suspected' }],
      ['vendor-ca-changed', { level: 'warning', confidence: 'suspected' }],
    ] as const
  ).map(([cause, changes]) => [cause, { tls: [finding(cause, changes)] }] as const),
  ['license-server-down', { http: response(503) }],
  ['mail-unreachable', { mail: [UNREACHABLE, WORKING] }],
];

/** What the probes find in a round, and whether the unit's API answers. */
interface Probed {
  readonly faults: typeof FAULTS;
  readonly isTlsUnjudged: boolean;
  readonly licenseAt: 'FAC-A' | 'FAC-X';
  readonly api: 'ok' | 'failed';
}

const probed: fc.Arbitrary<Probed> = fc.record({
  faults: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.subarray([...FAULTS], { maxLength: 2 })),
  isTlsUnjudged: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  licenseAt: fc.oneof(
    { weight: 8, arbitrary: fc.constant('FAC-A' as const) },
    { weight: 1, arbitrary: fc.constant('FAC-X' as const) },
  ),
  api: fc.constantFrom('ok', 'failed'),
});

function roundOf({ faults, isTlsUnjudged }: Probed, at: number): RoundFacts {
  const all = faults.reduce<Shown>((merged, [, one]) => ({ ...merged, ...one }), {});
  const tls = faults.flatMap(([, one]) => one.tls ?? []);
  return shown({ ...all, at, tls: tls.length === 0 && isTlsUnjudged ? null : tls });
}

const DOWN: ApplianceObservation = {
  kind: 'failed',
  appliance: 'fac-1',
  endpoint: '10.0.0.5:443',
  reason: 'timeout',
  message: 'no answer',
  durationMs: 5_000,
};

interface World {
  readonly state: PollingState;
  readonly diagnoses: readonly Diagnosis[];
}

/** Returns the log's state and the verdict of each round. The lines pass through the readers. */
function worldOf(lines: readonly Line[], rounds: readonly Probed[]): World {
  const clock = handClock(T0);
  let state = emptyPolling(config.logs.window);
  const outbox = new EventOutbox((event) => {
    state = recordEvents(state, [event]);
  });
  const readers = new Map<string, LogReader>();
  let remembered = NOTHING_REMEMBERED;
  const diagnoses: Diagnosis[] = [];
  const due = lines.toSorted((a, b) => a.at - b.at);
  let next = 0;
  for (const [index, seen] of rounds.entries()) {
    const now = T0 + (ROUNDS[index] ?? 0) * MINUTE;
    for (let line = due[next]; line !== undefined && line.at <= now; line = due[(next += 1)]) {
      clock.advance(line.at - clock.now());
      hear(line);
    }
    clock.advance(now - clock.now());
    outbox.flush();
    const report = pollingReport(state, {
      now,
      window: config.logs.window,
      silentAfter: config.logs.silentAfter,
      appliances: Object.keys(UNITS),
      signatures,
      listeningSince: T0,
    });
    const [first, second] = config.appliances;
    if (first === undefined || second === undefined) throw new Error('Two appliances are configured');
    const appliances = [
      { config: first, rest: seen.api === 'ok' ? applianceFacts() : DOWN, role: null },
      { config: second, rest: null, role: null },
    ];
    const lookups = [{ license: LICENSE, outcome: { kind: 'registered', serial: seen.licenseAt } }] as const;
    const registration = { kind: 'ok', lookups } as const;
    const { diagnosis, ...rest } = conclude(
      { config, round: roundOf(seen, now), picture: picture({ appliances, registration }) },
      { kind: 'heard', report, unknownSenders: [], ...remembered },
    );
    remembered = rest;
    diagnoses.push(diagnosis);
  }
  return { state, diagnoses };

  function hear({ text, from, source, origin = attribution.sender(from) }: Line): void {
    const key = `${source} ${from}`;
    const reader = readers.get(key) ?? readerOf(origin, source);
    readers.set(key, reader);
    reader.read(text, false);
  }

  function readerOf(origin: Origin, source: Line['source']): LogReader {
    const context = { clock, signatures, attribution, watched, outbox };
    const told = { onForeign: () => undefined, onUnrecognised: () => undefined };
    return new LogReader(context, { source, origin, tally: newLineTally(), foreign: 'count', ...told });
  }
}

const READINESS: readonly Diagnosis['ready'][] = ['ready', 'unknown', 'not-ready'];

/** Returns what the additional lines have made better than it was, or have hidden. */
function improved(before: Diagnosis, after: Diagnosis): readonly string[] {
  const isBetter = READINESS.indexOf(after.ready) < READINESS.indexOf(before.ready);
  return [
    ...(isBetter ? [`${before.ready} became ${after.ready}`] : []),
    ...before.causes.flatMap((cause) => {
      const same = after.causes.find(({ id, subject }) => id === cause.id && subject === cause.subject);
      if (same === undefined) return [`${nameOf(cause)} became ${after.causes.map(nameOf).join(', ')}`];
      const isLower = compareSeverity(same.severity, cause.severity) > 0;
      const isDoubted = cause.confidence === 'confirmed' && same.confidence === 'suspected';
      return isLower || isDoubted ? [`${nameOf(cause)} became ${nameOf(same)}`] : [];
    }),
    ...(before.corroborated ?? []).flatMap((cause) =>
      isCorroborated(after, cause) ? [] : [`${cause.id} lost its second witness`],
    ),
  ];
}

function nameOf({ id, subject, severity, confidence }: Cause): string {
  return `${id} ${subject} ${severity} ${confidence}`;
}

function reliablePart({ appliances, firewall }: PollingState): unknown {
  const units = Object.entries(appliances).filter(([, { reliableLineAt }]) => reliableLineAt !== null);
  const kept = units.map(
    ([name, { reliableLineAt, signatures: errors }]) => [name, { reliableLineAt, errors }] as const,
  );
  return { firewall, units: Object.fromEntries(kept) };
}

const rounds = fc.array(probed, { minLength: 2, maxLength: ROUNDS.length });

test(`lines that anybody can write lower, displace and hide nothing (${String(SEQUENCES)} sequences)`, () => {
  fc.assert(
    fc.property(
      fc.array(reliable, { maxLength: 8 }),
      fc.array(unproven, { minLength: 1, maxLength: 24 }),
      rounds,
      (truth, added, seen) => {
        const before = worldOf(truth, seen);
        const after = worldOf([...truth, ...added], seen);
        expect(reliablePart(after.state)).toEqual(reliablePart(before.state));
        expect(
          before.diagnoses.map((diagnosis, index) => improved(diagnosis, after.diagnoses[index] ?? diagnosis)),
        ).toEqual(before.diagnoses.map(() => []));
      },
    ),
    { numRuns: SEQUENCES },
  );
});

test('a single line that anybody can write confirms nothing, and breaks nothing', () => {
  fc.assert(
    fc.property(fc.array(reliable, { maxLength: 8 }), unproven, rounds, (truth, added, seen) => {
      const before = worldOf(truth, seen);
      const after = worldOf([...truth, added], seen);
      for (const [index, diagnosis] of after.diagnoses.entries()) {
        const known = before.diagnoses[index]?.causes.map(nameOf) ?? [];
        // A unit that was never heard is expected to go on after its first line, whoever sent it.
        const more = diagnosis.causes.filter(
          (cause) => cause.id !== 'appliance-silent' && !known.includes(nameOf(cause)),
        );
        expect(more.map(({ severity, confidence }) => `${severity} ${confidence}`)).toEqual(
          more.map(() => 'warning suspected'),
        );
        expect(diagnosis.ready).toBe(before.diagnoses[index]?.ready);
      }
    }),
    { numRuns: Math.ceil(SEQUENCES / 10) },
  );
});

const FINE: Probed = { faults: [], isTlsUnjudged: false, licenseAt: 'FAC-A', api: 'ok' };
const datagram = (second: number): Line => ({
  at: T0 + second * SECOND,
  from: '10.0.0.5',
  source: 'udp',
  text: errorLine('FTM polling error: connection timeout'),
});

test.each([
  ['one', [0], 'warning suspected'],
  ['two at once', [0, 29], 'warning suspected'],
  ['two that are 30 s apart', [0, 30], 'critical confirmed'],
])('%s of the same kind', (_, seconds, expected) => {
  const { diagnoses } = worldOf(seconds.map(datagram), [FINE]);
  expect(diagnoses.flatMap(({ causes }) => causes.map((cause) => nameOf(cause)))).toEqual([
    `polling-failing fac-1 ${expected}`,
  ]);
});

test('a datagram is not corroborated by a reliable line', () => {
  const other = { ...datagram(5), text: errorLine('FTM polling error: something else') };
  const { diagnoses } = worldOf([{ ...datagram(0), source: 'tcp' }, other], [FINE]);
  const { findings = [] } = diagnoses[0]?.preconditions.find(({ id }) => id === 'polling') ?? {};
  const ofUnit = findings.filter(({ subject }) => subject === 'fac-1');
  expect(ofUnit.map(({ level, confidence = 'confirmed' }) => `${level} ${confidence}`)).toEqual([
    'broken confirmed',
    'warning suspected',
  ]);
});

const RELAYED = createAttribution(config.appliances, { firewalls: [], relays: ['10.0.0.9'] });
/** The senders in the table of `docs/security.md`. */
const SENDERS: Readonly<Record<string, Omit<Line, 'at' | 'text'>>> = {
  'log line over UDP, from any address': { from: '10.0.0.5', source: 'udp' },
  'log line over TCP or TLS, from an unverified sender': { from: '10.9.9.9', source: 'tcp' },
  "log line over TCP or TLS, from a unit's address": { from: '10.0.0.5', source: 'tcp' },
  'log line over TLS, with a certificate in `logs.syslog.tls.certificates`': {
    from: '10.9.9.9',
    source: 'tls',
    origin: { kind: 'appliance', appliance: 'fac-1', isKnown: true },
  },
  'log line over TCP or TLS, from a relay': {
    from: '10.0.0.9',
    source: 'tcp',
    origin: RELAYED.sender('10.0.0.9'),
  },
  'log line over TCP or TLS, from the host of `firewall.url`': { from: FIREWALL, source: 'tcp' },
  'line in a followed file': { from: 'a file', source: 'file', origin: attribution.file() },
};

test.each(Object.entries(SENDERS))('docs/security.md is right about what this may do: %s', async (name, sender) => {
  const said = (text: string, seconds: readonly number[], seen: Probed = FINE): readonly string[] =>
    worldOf(
      seconds.map((second) => T0 + second * SECOND).map((at) => ({ ...sender, at, text: dated(text, at) })),
      [seen],
    ).diagnoses.flatMap(({ causes }) =>
      causes.map(({ id, severity, confidence }) => `${id} ${severity} ${confidence}`),
    );
  const isConfirmed = (causes: readonly string[]): boolean =>
    causes.some((cause) => cause.endsWith('critical confirmed'));
  const beside = (suggests: FaultId): Probed => {
    const fault = FAULTS.find(([cause]) => cause === suggests);
    return { ...FINE, faults: fault === undefined ? [] : [fault] };
  };
  const telling = sender.from === FIREWALL ? firewallLine(20) : errorLine('FTM polling error: connection timeout');
  const corroborated = isConfirmed(said(telling, [0, 30])) ? 'with two lines, 30 s apart' : 'never';
  const isOne = isConfirmed(said(telling, [0]));
  const isLowered = !isConfirmed(said(errorLine('Administrator logged out'), [0], beside('certificate-broken')));
  const left = said(firewallLine(20), [0, 30], beside('license-server-down'));
  const row = [
    name,
    isOne ? 'a fault' : 'a suspicion',
    isOne ? 'with one line' : corroborated,
    isLowered ? 'yes' : 'no',
    left.some((cause) => cause.startsWith('license-server-down')) ? 'no' : 'yes',
  ];
  expect(await readFile('docs/security.md', 'utf8')).toContain(`| ${row.join(' | ')} |`);
});

/** With the time and the unit's name in front, as a relay writes it. */
function dated(text: string, at: number): string {
  const [, , message = text] = /^<12>(Aug 14 22:40:03 )?(.*)$/u.exec(text) ?? [];
  return `<12>${new Date(at).toISOString()} fac-1 ${message}`;
}
