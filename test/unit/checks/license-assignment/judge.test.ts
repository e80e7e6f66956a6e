import { describe, expect, it } from 'vitest';
import type {
  LicenseLookup,
  LicenseOutcome,
  RegistrationObservation,
} from '../../../../src/core/license/registration.ts';
import type { ExpectedUnit } from '../../../../src/core/license/appliance.ts';
import { assessUnits } from '../../../../src/checks/assess.ts';
import type { Picture } from '../../../../src/connectors/picture.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import {
  ALONE,
  cluster,
  failedOver,
  held,
  judge,
  judgement,
  judgeUnits,
  LICENSE,
  listed,
  migrated,
  PAIR,
  standalone,
  TRIAL_ONLY,
} from '../../../support/checks/license-bench.ts';

type Seen = ReturnType<typeof applianceFacts> | null;
type Row = [name: string, unit: ExpectedUnit, seen: Seen, outcome: LicenseOutcome, ...expected: string[]];

const ON_PEER = 'license-on-peer';
const ELSEWHERE = 'license-on-other-unit';
const beforeActivation = applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-B' }, tokens: TRIAL_ONLY });
const failure = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;

const ROWS: readonly Row[] = [
  ['this unit, standalone', PAIR, standalone, held('FAC-A')],
  ['this unit, in another case', PAIR, standalone, held('fac-a')],
  ['this unit, in a cluster', PAIR, cluster, held('FAC-A')],
  ['peer in a cluster', PAIR, cluster, held('FAC-B'), `warning ${ON_PEER}`],
  ['peer in a cluster, not configured', ALONE, cluster, held('FAC-B'), `warning ${ON_PEER}`],
  ['peer in a cluster before activation', PAIR, beforeActivation, held('FAC-B'), `broken ${ON_PEER}`],
  ['peer of a standalone unit', PAIR, standalone, held('FAC-B'), `broken ${ON_PEER}`],
  ['peer, nothing known of the cluster', PAIR, null, held('FAC-B'), `warning ${ON_PEER}`],
  ['other unit', PAIR, cluster, held('FAC-X'), `broken ${ELSEWHERE}`],
  ['other unit, only the configuration known', PAIR, null, held('FAC-X'), `broken ${ELSEWHERE}`],
  ['the unit of before a migration', ALONE, migrated, held('FAC-A'), `broken ${ELSEWHERE}`],
  ['no serial known at all', { ...ALONE, serial: null }, null, held('FAC-A'), 'unknown -'],
  ['after a failover, on the old primary', PAIR, failedOver, held('FAC-A'), `warning ${ON_PEER}`],
  ['after a failover, on the unit in charge', PAIR, failedOver, held('FAC-B')],
  ['not registered', PAIR, cluster, { kind: 'unregistered', status: 'Pending' }, 'broken license-not-registered'],
  ['listed without a serial that can be read', PAIR, cluster, { kind: 'unnamed', status: 'Registered' }, 'unknown -'],
  ['not listed', PAIR, cluster, { kind: 'not-listed' }, 'unknown -'],
  ['postponed', PAIR, cluster, { kind: 'postponed', until: 0 }, 'unknown -'],
  ['failed', PAIR, cluster, failure, 'unknown -'],
];

/** The peer answers and reports no other member. */
const FAILED_OVER_ALONE: Row = [
  'after a failover, the licence on the member that is gone',
  PAIR,
  applianceFacts({ system: { serial: 'FAC-B', peerSerial: null } }),
  held('FAC-A'),
  `broken ${ON_PEER}`,
];

function levelsOf(findings: ReturnType<typeof judge>): readonly string[] {
  return findings.map(({ level, suggests }) => `${level} ${suggests ?? '-'}`);
}

const WITHOUT_LICENSE = listed(
  { ...PAIR, licenses: [] },
  applianceFacts({ system: { serial: 'FAC-A', peerSerial: null }, tokens: TRIAL_ONLY }),
);

describe('a licence', () => {
  it.each<Row>(ROWS)('%s', (_, unit, seen, outcome, ...expected) => {
    expect(levelsOf(judge(listed(unit, seen), outcome))).toEqual(expected);
  });

  it.each<Row>([...ROWS, FAILED_OVER_ALONE])('%s, typed in lower case', (_, unit, seen, outcome, ...expected) => {
    const typed = {
      name: unit.name,
      serial: unit.serial?.toLowerCase() ?? null,
      peerSerial: unit.peerSerial?.toLowerCase() ?? null,
      licenses: unit.licenses.map((license) => license.toLowerCase()),
    };
    expect(judge(listed(typed, seen), outcome)).toEqual(judge(listed(unit, seen), outcome));
    expect(levelsOf(judge(listed(typed, seen), outcome))).toEqual(expected);
  });

  it.each<[string, readonly LicenseLookup[], readonly string[]]>([
    ['nothing', [], [`unknown ${LICENSE}`]],
    ['another licence', [{ license: 'EFTM111111111111', outcome: held('FAC-A') }], [`unknown ${LICENSE}`]],
    ['it', [{ license: LICENSE, outcome: held('FAC-A') }], []],
    ['it in another case', [{ license: LICENSE.toLowerCase(), outcome: held('FAC-A') }], []],
  ])('a licence is not known to be registered when %s was looked up', (_, lookups, expected) => {
    const unit = listed(PAIR, standalone);
    const findings = judgeUnits([unit], { kind: 'ok', lookups });
    expect(findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual(expected);
  });

  it('says that nothing was looked up, or that no licence is known', () => {
    const unit = listed(PAIR, standalone);
    const registration = { kind: 'ok', lookups: [] } as const;
    expect(judgeUnits([unit], registration)).toMatchObject([{ rule: 'license-looked-up', subject: LICENSE }]);
    expect(judgeUnits([WITHOUT_LICENSE], registration)).toMatchObject([{ rule: 'license-known' }]);
  });

  it('says how many licences were looked up, and calls the others neither registered nor unknown', async () => {
    const numbers = Array.from({ length: 60 }, (_, index) => `EFTM${String(index).padStart(12, '0')}`);
    const appliances = [{ name: 'fac-1', serial: 'FAC-A', licenses: numbers }];
    const registration = { user: 'api', passwordEnv: 'SET_SECRET' };
    const config = await configOf(JSON.stringify({ appliances, registration }));
    const units = config.appliances.map((one) => ({ config: one, rest: null, role: null }));
    const lookups = numbers.map((license, index) => ({
      license,
      outcome: index < 50 ? held('FAC-A') : ({ kind: 'queued' } as const),
    }));
    const picture: Picture = { appliances: units, firewall: [], registration: { kind: 'ok', lookups }, peers: [] };
    const own = assessUnits({ config, picture, at: 0, speaking: [] }).find(({ id }) => id === 'license-assignment');
    expect(own?.summary).toBe('50 of 60 licences were looked up, and each is registered to its FortiAuthenticator');
    expect(own?.findings.map(({ level, claim }) => [level, claim])).toEqual([
      ['note', '50 of 60 licences were looked up so far.'],
    ]);
  });

  it('names the licence, the serial and the holder', () => {
    const [finding] = judge(listed(PAIR, standalone), held('FAC-X'));
    expect(finding).toMatchObject({
      rule: 'license-registered-to-this-unit',
      subject: LICENSE,
      level: 'broken',
      suggests: 'license-on-other-unit',
      confidence: 'suspected',
      kind: 'role-unknown',
      concerns: ['fac-1'],
      facts: { appliance: 'fac-1', serial: 'FAC-A', primary: 'FAC-A', license: LICENSE, holder: 'FAC-X' },
    });
  });

  it.each<[string, RegistrationObservation]>([
    ['denied', { kind: 'denied', message: 'HTTP 401' }],
    ['postponed', { kind: 'postponed', until: 0 }],
    ['failed', { kind: 'failed', reason: 'refused', message: 'connect ECONNREFUSED', durationMs: 1 }],
  ])('leaves it unknown when the service is %s', (_, registration) => {
    const findings = judgeUnits([listed(PAIR, standalone)], registration);
    const unanswered = { level: 'unknown', suggests: null, subject: 'fac-1', rule: 'registration-service-answers' };
    expect(findings).toEqual([expect.objectContaining(unanswered)]);
  });

  it.each([
    ['that is fine', 'FAC-A', []],
    ['that is not', 'FAC-X', ['broken license-on-other-unit']],
  ] as const)('judges a licence %s by the last answer, and says how old that is', (_, serial, expected) => {
    const unit = listed(PAIR, cluster);
    const kept = { since: Date.UTC(2026, 10, 24, 13), because: failure };
    const findings = judgeUnits([unit], { kind: 'ok', lookups: [{ license: LICENSE, outcome: held(serial), kept }] });
    expect(levelsOf(findings)).toEqual([...expected, 'note -']);
    expect(findings.at(-1)?.rule).toBe('registration-answers-again');
  });

  it('leaves out the licences of other appliances, and says when it has none', () => {
    const registration: RegistrationObservation = {
      kind: 'ok',
      lookups: [
        { license: 'EFTM999999999999', outcome: held('FAC-X') },
        { license: LICENSE, outcome: held('FAC-A') },
      ],
    };
    const unit = listed(PAIR, standalone);
    expect(judgeUnits([unit], registration)).toEqual([]);
    expect(judgeUnits([WITHOUT_LICENSE], registration)).toMatchObject([{ rule: 'license-known' }]);
  });
});

describe('the summary', () => {
  const kept = (hour: number, license: string): LicenseLookup => ({
    license,
    outcome: held('FAC-A'),
    kept: { since: Date.UTC(2026, 10, 24, hour), because: failure },
  });
  const unit = listed(PAIR, standalone);

  it.each([
    [
      'without the registration service',
      judgement([unit], null, { isConfigured: false }),
      'not-configured',
      /not configured/u,
    ],
    ['without a unit', judgement([], { kind: 'ok', lookups: [] }), 'unjudged', /^No appliance/u],
    ['before the first answer', judgement([unit], null), 'unjudged', /^Not queried yet$/u],
    [
      'with answers from before',
      judgement([unit], { kind: 'ok', lookups: [kept(14, LICENSE), kept(13, 'EFTM000000000002')] }),
      'judged',
      /reported at 2026-11-24T13:00/u,
    ],
  ])('%s', (_, result, kind, summary) => {
    expect(result.kind).toBe(kind);
    expect(result.summary).toMatch(summary);
  });
});
