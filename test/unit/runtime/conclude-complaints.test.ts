import { describe, expect, test } from 'vitest';
import type { FaultId, PreconditionId } from '../../../src/checks/registry.ts';
import type { FaultSeen } from '../../../src/checks/check.ts';
import type { PeerObservation } from '../../../src/core/round.ts';
import type { PollingError } from '../../../src/core/polling/report.ts';
import { NO_SAMPLES } from '../../../src/checks/intermittent/sampling.ts';
import { OLDER_TLS_RULE } from '../../../src/checks/tls-genuine/expectations.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { configOf } from '../../support/config/config-of.ts';
import { response, type Shown } from '../../support/checks/facts.ts';
import { finding, TARGET } from '../../support/checks/judged-round.ts';
import { endpoint, failed, path } from '../../support/checks/observed.ts';
import { UNREACHABLE, WORKING } from '../../support/checks/mail-seen.ts';
import { RESET, sampled } from '../../support/checks/sampled.ts';
import { pollingError } from '../../support/checks/polling-error.ts';
import { HOUR, SECOND } from '../../support/time/units.ts';

type Conclusion = ReturnType<typeof concluded>;
type Remembered = NonNullable<Parameters<typeof concluded>[0]['remembered']>;

const config = await configOf(
  'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1, logSources: [10.0.0.5] }]\n',
);

const SSL = pollingError(AT, 'FTM polling error: SSL session failed');
const ONCE = pollingError(AT, 'FTM polling error: SSL session failed', { moments: [AT - SECOND] });
const MAIL = pollingError(AT, 'Failed to send activation code', { cause: 'mail-unreachable', severity: 'warning' });
const LICENSE = pollingError(AT, 'FTM provision error: token does not belong to product', {
  cause: 'license-on-other-unit',
});
const INTERCEPTED: Shown = { tls: [finding('tls-intercepted')] };

function namesOf({ diagnosis }: Conclusion): readonly string[] {
  return diagnosis.causes.map(({ id, severity, confidence }) => `${id} ${severity} ${confidence}`);
}

function conclusionOf(
  errors: readonly PollingError[],
  shows: Shown = {},
  remembered: Remembered = {},
  peers: readonly PeerObservation[] = [],
): Conclusion {
  return concluded({ config, errors: { 'fac-1': errors }, shows, remembered, seen: { peers } });
}

describe('what FortiAuthenticator complains of', () => {
  const INTERCEPTION = 'tls-intercepted critical confirmed';
  const seen = (precondition: PreconditionId): readonly FaultSeen[] => [
    { precondition, appliance: null, since: 0, at: AT - 5 * SECOND },
  ];

  test.each<readonly [string, readonly PollingError[], FaultId | null, readonly FaultSeen[], readonly string[]]>([
    ['on a clean path', [SSL], null, [], ['polling-failing critical confirmed']],
    ['once, on a clean path', [ONCE], null, [], ['polling-failing warning suspected']],
    ['of an inspection', [SSL], 'tls-intercepted', [], [INTERCEPTION]],
    ['once, of an inspection', [ONCE], 'tls-intercepted', [], [INTERCEPTION]],
    ['of mail', [SSL, MAIL], 'tls-intercepted', [], [INTERCEPTION, 'polling-failing warning confirmed']],
    ['of a licence', [LICENSE], 'tls-intercepted', [], [INTERCEPTION, 'license-on-other-unit critical confirmed']],
    ['of an inspection that is over', [SSL], null, seen('tls-genuine'), []],
    ['of mail, just after an inspection', [MAIL], null, seen('tls-genuine'), ['polling-failing warning confirmed']],
    [
      'of SSL, just after a licence came home',
      [SSL],
      null,
      seen('license-assignment'),
      ['polling-failing critical confirmed'],
    ],
  ])('%s', (_, ...[errors, broken, faultsSeen, causes]) => {
    const shows = { tls: broken === null ? [] : [finding(broken)] };
    expect(namesOf(conclusionOf(errors, shows, { faultsSeen }))).toEqual(causes);
  });

  test('does not count as silence if the same fault returns within a minute', () => {
    const summaryOf = (remembered: Remembered): string | undefined =>
      conclusionOf([SSL], INTERCEPTED, remembered).diagnosis.causes[0]?.summary;
    expect(summaryOf({ faultsSeen: seen('tls-genuine') })).toBe(summaryOf({}));
    expect(summaryOf({})).not.toBe(conclusionOf([], INTERCEPTED).diagnosis.causes[0]?.summary);
  });
});

describe('what FortiAuthenticator complains of while a fifth of the connections fail', () => {
  const PORT = { ...RESET, stage: 'reachability', cause: 'egress-blocked' } as const;
  const share: Shown = { own: { sampling: sampled({ x: '.' }, { x: '.xxxxxx.............' }, NO_SAMPLES, PORT) } };
  const partly: Shown = {
    own: {
      sampling: sampled({ x: '.', y: '.' }, { x: '.xxxxxxxxx', y: '..........' }, NO_SAMPLES, PORT),
      path: path({ subject: TARGET, endpoints: ['x', 'y'].map((address) => endpoint(address)) }),
    },
  };
  const none: Shown = { mail: [UNREACHABLE, WORKING] };

  test.each<readonly [string, readonly PollingError[], Shown, readonly string[]]>([
    ['nothing', [], share, ['egress-blocked warning suspected']],
    ['one datagram', [ONCE], share, ['egress-blocked warning suspected']],
    ['two', [SSL], share, ['egress-blocked critical suspected']],
    [
      'one datagram, and another address is clean',
      [ONCE],
      partly,
      ['egress-partly-blocked warning suspected', 'polling-failing warning suspected'],
    ],
    [
      'one datagram, beside a warning that is no share',
      [ONCE],
      none,
      ['mail-unreachable warning confirmed', 'polling-failing warning suspected'],
    ],
  ])('%s', (_, errors, found, causes) => {
    expect(namesOf(conclusionOf(errors, found))).toEqual(causes);
  });

  test('one datagram is evidence of it, and explained afterwards', () => {
    const during = conclusionOf([ONCE], share);
    expect(during.diagnosis.causes[0]).toMatchObject({ consequences: ['polling'] });
    expect(during.diagnosis.causes[0]?.evidence.at(-1)).toContain('FTM polling error');
    const again = conclusionOf([ONCE], share, during);
    expect(namesOf(conclusionOf([ONCE], {}, again))).toEqual([]);
  });
});

describe('what FortiAuthenticator complains of while TLS 1.2 alone is cut', () => {
  const cut = finding('tls-blocked', { rule: OLDER_TLS_RULE, level: 'warning', confidence: 'suspected' });
  const LINE = { reliable: true, moments: [AT - SECOND] };
  const TIMEOUT = pollingError(AT, 'FTM polling error: connection timeout', { cause: 'egress-blocked' });

  test.each<readonly [string, readonly PollingError[], readonly string[]]>([
    ['one datagram', [ONCE], ['tls-blocked warning suspected']],
    ['two', [SSL], ['tls-blocked critical suspected']],
    ['two timeouts', [TIMEOUT], ['tls-blocked critical suspected']],
    ['one line over a connection', [{ ...SSL, ...LINE }], ['tls-blocked critical suspected']],
    ['one line of a timeout', [{ ...TIMEOUT, ...LINE }], ['tls-blocked critical suspected']],
    [
      'two datagrams, beside others of a licence',
      [SSL, LICENSE],
      ['tls-blocked critical suspected', 'license-on-other-unit critical confirmed'],
    ],
    [
      'two datagrams, beside a line about mail',
      [SSL, { ...MAIL, ...LINE }],
      ['tls-blocked critical suspected', 'polling-failing warning confirmed'],
    ],
  ])('%s', (_, errors, causes) => {
    const during = conclusionOf(errors, { tls: [cut] });
    expect(namesOf(during)).toEqual(causes);
    // The explanation remains after the cut has ended.
    const again = conclusionOf(errors, { tls: [cut] }, during);
    expect(namesOf(conclusionOf(errors, {}, again))).toEqual(causes.slice(1));
  });

  test('is evidence', () => {
    const { causes } = conclusionOf([SSL], { tls: [cut] }).diagnosis;
    expect(causes[0]?.evidence.join('\n')).toContain('FTM polling error');
  });

  test('datagrams hide nothing that the probes prove', () => {
    expect(namesOf(conclusionOf([SSL], { tls: [cut], http: response(503) }))).toEqual([
      'tls-blocked critical suspected',
      'license-server-down critical confirmed',
    ]);
  });
});

describe('that another agent sees no fault on the path', () => {
  const PATH = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];
  const seen = (at: number, { faulty = 'none', path = PATH } = {}): PeerObservation => ({
    kind: 'seen',
    peer: 'dmz',
    at,
    causes: [],
    preconditions: path.map((id) => ({ id, state: 'ok', isHearsay: false, seesNoFault: id !== faulty })),
  });
  const CUT: PeerObservation = { kind: 'failed', peer: 'dmz', reason: 'timeout', message: 'x', durationMs: 1 };

  test.each<readonly [string, PollingError, PeerObservation, boolean]>([
    ['is evidence of a polling error', SSL, seen(AT), true],
    ['also if it looked between two errors', SSL, seen(SSL.firstAt), true],
    ['is none if it looked before the first error', SSL, seen(SSL.firstAt - 1), false],
    ['is none if it sees a fault', SSL, seen(AT, { faulty: 'tls-genuine' }), false],
    ['is none if it does not look at all of the path', SSL, seen(AT, { path: PATH.slice(1) }), false],
    ['is not known if it does not answer', SSL, CUT, false],
    ['is no evidence of an error about mail', MAIL, seen(AT), false],
  ])('%s', (_, error, peer, isTold) => {
    const [failing] = conclusionOf([error], {}, {}, [peer]).diagnosis.causes;
    expect(failing?.id).toBe('polling-failing');
    expect(failing?.evidence.some((line) => line.includes('ftm-watch at dmz detected no fault'))).toBe(isTold);
  });
});

test('a line that is dated in the future is evidence of it, while nothing else explains the line', () => {
  const ahead = { ...SSL, ahead: 2 * HOUR };
  const evidenceOf = (error: PollingError) =>
    conclusionOf([error]).diagnosis.causes.map(({ evidence }) => evidence.length);
  expect(evidenceOf(ahead)).toEqual(evidenceOf(SSL).map((count) => count + 1));
  expect(namesOf(conclusionOf([ahead], INTERCEPTED))).toEqual(['tls-intercepted critical confirmed']);
  expect(namesOf(conclusionOf([{ ...ahead, severity: 'info' }]))).toEqual([]);
});

test.each<readonly [string, Shown, Diagnosis['ready']]>([
  ['on a clean path', {}, 'ready'],
  ['beside a fault', INTERCEPTED, 'not-ready'],
])('a log that has never said anything is waited for, and left out of "ready": %s', (_, shows, ready) => {
  const never = { 'fac-1': { lastLineAt: null, reliableLineAt: null } };
  const { diagnosis } = concluded({ config, lines: never, unknownSenders: ['10.9.9.9'], shows });
  expect(diagnosis.ready).toBe(ready);
  expect(diagnosis.preconditions.find(({ id }) => id === 'polling')).toMatchObject({
    state: 'unknown',
    waits: true,
    summary: expect.stringMatching(/127\.0\.0\.1:5514.*10\.9\.9\.9/u),
  });
});

describe('a fault that a single round showed', () => {
  const suspected = { confidence: 'suspected' } as const;

  test.each<readonly [string, Shown, readonly string[]]>([
    ['explains afterwards what came: a certificate', INTERCEPTED, []],
    [
      'does not: what is only suspected',
      { tls: [finding('tls-blocked', suspected)] },
      ['polling-failing critical confirmed'],
    ],
    [
      'does not: a port, which one lost connection makes look shut',
      { port: failed('refused'), own: { controlHosts: { accepting: 0, refusing: 2, tried: 2 } } },
      ['polling-failing critical confirmed'],
    ],
  ])('%s', (_, shows, causes) => {
    const { faultsSeen, lasting } = conclusionOf([SSL], shows);
    expect(namesOf(conclusionOf([SSL], {}, { faultsSeen, lasting }))).toEqual(causes);
  });
});

describe('a line from the time of a fault', () => {
  const AGO = 120_000;
  const inspection = { precondition: 'tls-genuine', appliance: null, since: AT - 3 * AGO, at: AT - AGO };
  const OLD = pollingError(AT - AGO, 'FTM polling error: SSL session failed', { reliable: true });
  const NEW = pollingError(AT, OLD.sample, { reliable: true, firstAt: OLD.firstAt, groups: [OLD, SSL].map(last) });
  const expired: Shown = { tls: [finding('certificate-broken')] };

  function last({ lastAt }: PollingError) {
    return { firstAt: lastAt, count: 1 };
  }
  function evidence(error: PollingError, remembered: Remembered): string | undefined {
    const { causes } = conclusionOf([error], expired, remembered).diagnosis;
    expect(causes.map(({ id }) => id)).toEqual(['certificate-broken']);
    return causes[0]?.evidence.find((line) => line.includes(OLD.sample));
  }

  test('is not evidence of a later one', () => {
    expect(evidence(OLD, { faultsSeen: [inspection] })).toBeUndefined();
  });

  test('is not counted with the lines of a later one', () => {
    expect(evidence(NEW, { faultsSeen: [inspection] })).toContain('One FortiToken Mobile error');
  });

  test('is evidence while the fault lasts, and the next rounds do not take it for one of an earlier fault', () => {
    const lasting = { faultsSeen: [inspection], lasting: [inspection] };
    expect(evidence(OLD, lasting)).toBeDefined();
    expect(evidence(OLD, conclusionOf([OLD], expired, lasting))).toBeDefined();
  });

  test('is evidence if the fault was not seen meanwhile only because this process stalled', () => {
    const lasting = { faultsSeen: [inspection], lasting: [inspection] };
    const stalled = conclusionOf([OLD], { stalledMs: 3_000 }, lasting);
    expect(namesOf(stalled)).toEqual([]);
    expect(evidence(OLD, stalled)).toBeDefined();
    expect(evidence(OLD, conclusionOf([OLD], {}, stalled))).toBeUndefined();
  });

  test('does not raise the severity of a later one', () => {
    const cut = finding('tls-blocked', { rule: OLDER_TLS_RULE, level: 'warning', confidence: 'suspected' });
    const later = conclusionOf([OLD], { tls: [cut] }, { faultsSeen: [inspection] });
    expect(namesOf(later)).toEqual(['tls-blocked warning suspected']);
  });
});
