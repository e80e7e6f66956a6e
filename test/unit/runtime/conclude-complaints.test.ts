import { describe, expect, test } from 'vitest';
import type { FaultId, PreconditionId } from '../../../src/checks/registry.ts';
import type { FaultSeen } from '../../../src/checks/polling/judge.ts';
import type { PeerObservation } from '../../../src/core/round.ts';
import type { PollingError, PollingReport } from '../../../src/core/polling/report.ts';
import { OLDER_TLS_RULE } from '../../../src/checks/tls-genuine/expectations.ts';
import type { Assessment, Finding } from '../../../src/engine/model.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/runtime/conclude.ts';
import { configOf } from '../../support/config/config-of.ts';
import { finding, round, TARGET } from '../../support/checks/judged-round.ts';
import { intermittentFinding, RESET } from '../../support/checks/sampled.ts';
import { pollingError } from '../../support/checks/polling-error.ts';
import { picture } from '../../support/checks/observed.ts';

type Remembered = typeof NOTHING_REMEMBERED;
type Conclusion = ReturnType<typeof conclude>;

const AT = Date.UTC(2026, 10, 24, 12);
const config = await configOf(
  'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1, logSources: [10.0.0.5] }]\n',
);

const SSL = pollingError(AT, 'FTM polling error: SSL session failed');
const ONCE = pollingError(AT, 'FTM polling error: SSL session failed', { moments: [AT - 1000] });
const MAIL = pollingError(AT, 'Failed to send activation code', { cause: 'mail-unreachable', severity: 'warning' });
const LICENSE = pollingError(AT, 'FTM provision error: token does not belong to product', {
  cause: 'license-on-other-unit',
});

function concluded(
  errors: readonly PollingError[],
  broken: FaultId | null,
  faultsSeen: readonly FaultSeen[] = [],
): readonly string[] {
  const probed = broken === null ? round() : round(['tls-genuine', [finding(broken)]]);
  return namesOf(conclusionOf(errors, probed, { faultsSeen }));
}

function namesOf({ diagnosis }: Conclusion): readonly string[] {
  return diagnosis.causes.map(({ id, severity, confidence }) => `${id} ${severity} ${confidence}`);
}

function conclusionOf(
  errors: readonly PollingError[],
  probed: readonly Assessment[],
  remembered: Partial<Remembered> = {},
  peers: readonly PeerObservation[] = [],
): Conclusion {
  const report: PollingReport = {
    window: 900_000,
    silentAfter: 86_400_000,
    appliances: [{ name: 'fac-1', errors, lastLineAt: AT, reliableLineAt: AT, silent: false, silentFor: null }],
    firewallEvidence: [],
  };
  return conclude(
    { config, at: AT, probed: probed.filter(({ id }) => id !== 'polling'), picture: picture({ peers }) },
    { kind: 'heard', report, unknownSenders: [], ...NOTHING_REMEMBERED, ...remembered },
  );
}

describe('what FortiAuthenticator complains of', () => {
  test.each<{
    name: string;
    errors: readonly PollingError[];
    broken: FaultId | null;
    faultsSeen?: readonly FaultSeen[];
    causes: readonly string[];
  }>([
    { name: 'on a clean path', errors: [SSL], broken: null, causes: ['polling-failing critical confirmed'] },
    { name: 'once, on a clean path', errors: [ONCE], broken: null, causes: ['polling-failing warning suspected'] },
    {
      name: 'of an inspection',
      errors: [SSL],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed'],
    },
    {
      name: 'once, of an inspection',
      errors: [ONCE],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed'],
    },
    {
      name: 'of mail during an inspection',
      errors: [SSL, MAIL],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed', 'polling-failing warning confirmed'],
    },
    {
      name: 'of a licence during an inspection',
      errors: [LICENSE],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed', 'license-on-other-unit critical confirmed'],
    },
    {
      name: 'of an inspection that is over',
      errors: [SSL],
      broken: null,
      faultsSeen: [{ precondition: 'tls-genuine', appliance: null, since: 0, at: AT - 5000 }],
      causes: [],
    },
    {
      name: 'of mail, just after an inspection',
      errors: [MAIL],
      broken: null,
      faultsSeen: [{ precondition: 'tls-genuine', appliance: null, since: 0, at: AT - 5000 }],
      causes: ['polling-failing warning confirmed'],
    },
    {
      name: 'of SSL, just after a licence came home',
      errors: [SSL],
      broken: null,
      faultsSeen: [{ precondition: 'license-assignment', appliance: null, since: 0, at: AT - 5000 }],
      causes: ['polling-failing critical confirmed'],
    },
  ])('$name', ({ errors, broken, faultsSeen, causes }) => {
    expect(concluded(errors, broken, faultsSeen)).toEqual(causes);
  });
});

describe('what FortiAuthenticator complains of while a fifth of the connections fail', () => {
  const share: Finding = {
    ...intermittentFinding({ x: '.xxxxxx.............' }, { ...RESET, stage: 'reachability', cause: 'egress-blocked' }),
    subject: TARGET,
  };
  const partly = { ...share, clean: ['y'] };
  const none = finding('mail-unreachable', { level: 'warning' });

  test.each<readonly [string, readonly PollingError[], Finding, readonly string[]]>([
    ['nothing', [], share, ['egress-blocked warning suspected']],
    ['one datagram', [ONCE], share, ['egress-blocked warning suspected']],
    ['two', [SSL], share, ['egress-blocked critical suspected']],
    [
      'one datagram, and another address is clean',
      [ONCE],
      partly,
      ['egress-blocked warning suspected', 'polling-failing warning suspected'],
    ],
    [
      'one datagram, beside a warning that is no share',
      [ONCE],
      none,
      ['mail-unreachable warning confirmed', 'polling-failing warning suspected'],
    ],
  ])('%s', (_, errors, found, causes) => {
    expect(namesOf(conclusionOf(errors, round(['reachability', [found]])))).toEqual(causes);
  });

  test('one datagram is evidence of it, and explained afterwards', () => {
    const during = conclusionOf([ONCE], round(['reachability', [share]]));
    expect(during.diagnosis.causes[0]).toMatchObject({ consequences: ['polling'] });
    expect(during.diagnosis.causes[0]?.evidence.at(-1)).toContain('FTM polling error');
    const again = conclusionOf([ONCE], round(['reachability', [share]]), during);
    expect(namesOf(conclusionOf([ONCE], round(), again))).toEqual([]);
  });
});

describe('what FortiAuthenticator complains of while TLS 1.2 alone is cut', () => {
  const cut = finding('tls-blocked', { rule: OLDER_TLS_RULE, level: 'warning', confidence: 'suspected' });
  const LINE = { reliable: true, moments: [AT - 1000] };
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
    const probed = round(['tls-genuine', [cut]]);
    const during = conclusionOf(errors, probed);
    expect(namesOf(during)).toEqual(causes);
    // The explanation remains after the cut has ended.
    const again = conclusionOf(errors, probed, during);
    expect(namesOf(conclusionOf(errors, round(), again))).toEqual(causes.slice(1));
  });

  test('is evidence', () => {
    const { causes } = conclusionOf([SSL], round(['tls-genuine', [cut]])).diagnosis;
    expect(causes[0]?.evidence.join('\n')).toContain('FTM polling error');
  });

  test('datagrams hide nothing that the probes prove', () => {
    const down = finding('license-server-down');
    expect(namesOf(conclusionOf([SSL], round(['tls-genuine', [cut]], ['license-server', [down]])))).toEqual([
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
    const [failing] = conclusionOf([error], round(), {}, [peer]).diagnosis.causes;
    expect(failing?.id).toBe('polling-failing');
    expect(failing?.evidence.some((line) => line.includes('the agent dmz detected no fault'))).toBe(isTold);
  });
});

test('a line that is dated in the future is evidence of it, while nothing else explains the line', () => {
  const ahead = { ...SSL, ahead: 2 * 3_600_000 };
  const [failing, ...more] = conclusionOf([ahead], round()).diagnosis.causes;
  expect([failing?.id, ...more]).toEqual(['polling-failing']);
  expect(failing?.evidence.join('\n')).toContain(' is dated 2 h ahead of ');
  const intercepted = round(['tls-genuine', [finding('tls-intercepted')]]);
  expect(namesOf(conclusionOf([ahead], intercepted))).toEqual(['tls-intercepted critical confirmed']);
  expect(namesOf(conclusionOf([{ ...ahead, severity: 'info' }], round()))).toEqual([]);
});

test('a log that has never said anything is waited for, and left out of "ready"', () => {
  const waited = { name: 'fac-1', errors: [], lastLineAt: null, reliableLineAt: null, silent: false, silentFor: null };
  const report: PollingReport = {
    window: 900_000,
    silentAfter: 86_400_000,
    appliances: [waited],
    firewallEvidence: [],
  };
  const probed = round().filter(({ id }) => id !== 'polling');
  const log = { kind: 'heard', report, unknownSenders: ['10.9.9.9'], ...NOTHING_REMEMBERED } as const;
  const at = (blocked: typeof probed) =>
    conclude({ config, at: AT, probed: blocked, picture: picture() }, log).diagnosis;
  const polling = at(probed).preconditions.find(({ id }) => id === 'polling');
  expect([at(probed).ready, polling?.state, polling?.summary]).toEqual([
    'ready',
    'unknown',
    'fac-1: Waiting for the first log line (listening on UDP 127.0.0.1:5514); lines from unknown senders were ' +
      'rejected: 10.9.9.9.',
  ]);
  const broken = at(round(['tls-genuine', [finding('tls-intercepted')]]).filter(({ id }) => id !== 'polling'));
  expect(broken.preconditions.find(({ id }) => id === 'polling')?.state).toBe('unknown');
});

describe('a fault that a single round showed', () => {
  const suspected = { confidence: 'suspected' } as const;

  test.each<readonly [string, PreconditionId, Finding, readonly string[]]>([
    ['explains afterwards what came: a certificate', 'tls-genuine', finding('tls-intercepted'), []],
    [
      'does not: what is only suspected',
      'tls-genuine',
      finding('tls-blocked', suspected),
      ['polling-failing critical confirmed'],
    ],
    [
      'does not: a port, which one lost connection makes look shut',
      'reachability',
      finding('egress-blocked'),
      ['polling-failing critical confirmed'],
    ],
  ])('%s', (_, id, found, causes) => {
    const { faultsSeen, lasting } = conclusionOf([SSL], round([id, [found]]));
    expect(namesOf(conclusionOf([SSL], round(), { faultsSeen, lasting }))).toEqual(causes);
  });
});

describe('a line from the time of a fault', () => {
  const AGO = 120_000;
  const inspection = { precondition: 'tls-genuine', appliance: null, since: AT - 3 * AGO, at: AT - AGO };
  const OLD = pollingError(AT - AGO, 'FTM polling error: SSL session failed', { reliable: true });
  const NEW = pollingError(AT, OLD.sample, { reliable: true, firstAt: OLD.firstAt, groups: [OLD, SSL].map(last) });
  const expired = round(['tls-genuine', [finding('certificate-broken')]]);

  function last({ lastAt }: PollingError) {
    return { firstAt: lastAt, count: 1 };
  }
  function evidence(error: PollingError, remembered: Partial<Remembered>): string | undefined {
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

  test('does not raise the severity of a later one', () => {
    const cut = finding('tls-blocked', { rule: OLDER_TLS_RULE, level: 'warning', confidence: 'suspected' });
    const later = conclusionOf([OLD], round(['tls-genuine', [cut]]), { faultsSeen: [inspection] });
    expect(namesOf(later)).toEqual(['tls-blocked warning suspected']);
  });
});
