import { describe, expect, it } from 'vitest';
import type {
  LicenseLookup,
  LicenseOutcome,
  RegistrationObservation,
} from '../../../../src/core/license/registration.ts';
import { licenseAssignment } from '../../../../src/checks/license-assignment/judge.ts';
import { factsOf } from '../../../support/checks/facts.ts';
import type { Picture, UnitObservation } from '../../../../src/connectors/picture.ts';
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
  role,
  standalone,
  TRIAL_ONLY,
} from '../../../support/checks/license-bench.ts';

type Row = [name: string, unit: UnitObservation, outcome: LicenseOutcome, ...expected: string[]];

const ON_PEER = 'license-on-peer';
const ELSEWHERE = 'license-on-other-unit';
const beforeActivation = applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-B' }, tokens: TRIAL_ONLY });
const failure = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;
const unit = listed(PAIR, standalone);
const clustered = (...told: Parameters<typeof role>): UnitObservation => listed(PAIR, cluster, role(...told));
const balancer = listed(ALONE, standalone, role('load-balancer'));

const ROWS: readonly Row[] = [
  ['this unit, standalone', unit, held('FAC-A')],
  ['this unit, in another case', unit, held('fac-a')],
  ['this unit, in a cluster', listed(PAIR, cluster), held('FAC-A')],
  ['peer in a cluster', listed(PAIR, cluster), held('FAC-B'), `warning ${ON_PEER}`],
  ['peer in a cluster, not configured', listed(ALONE, cluster), held('FAC-B'), `warning ${ON_PEER}`],
  ['peer in a cluster before activation', listed(PAIR, beforeActivation), held('FAC-B'), `broken ${ON_PEER}`],
  ['peer of a standalone unit', unit, held('FAC-B'), `broken ${ON_PEER}`],
  ['peer, nothing known of the cluster', listed(PAIR, null), held('FAC-B'), `warning ${ON_PEER}`],
  ['other unit', listed(PAIR, cluster), held('FAC-X'), `broken ${ELSEWHERE}`],
  ['other unit, only the configuration known', listed(PAIR, null), held('FAC-X'), `broken ${ELSEWHERE}`],
  ['the unit of before a migration', listed(ALONE, migrated), held('FAC-A'), `broken ${ELSEWHERE}`],
  ['no serial known at all', listed({ ...ALONE, serial: null }, null), held('FAC-A'), 'unknown -'],
  ['after a failover, on the old primary', listed(PAIR, failedOver), held('FAC-A'), `warning ${ON_PEER}`],
  ['after a failover, on the unit in charge', listed(PAIR, failedOver), held('FAC-B')],
  ['not registered', unit, { kind: 'unregistered', status: 'Pending' }, 'broken license-not-registered'],
  [
    'peer, standalone by SNMP alone',
    listed(PAIR, null, role('standalone-primary')),
    held('FAC-B'),
    `broken ${ON_PEER}`,
  ],
  ['SNMP: this unit is primary and holds it', clustered('cluster-primary'), held('FAC-A')],
  ['SNMP: this unit is secondary and holds it', clustered('cluster-secondary'), held('FAC-A'), `warning ${ON_PEER}`],
  ['SNMP: this unit is secondary, the primary holds it', clustered('cluster-secondary'), held('FAC-B')],
  ['SNMP reached the peer, which is secondary', clustered('cluster-secondary', 'FAC-B'), held('FAC-A')],
  ['SNMP: the peer is primary, without a serial', clustered('cluster-secondary', null), held('FAC-B')],
  ['SNMP: a load balancer that holds it itself', balancer, held('FAC-A')],
  ['SNMP: a load balancer whose peer holds it', listed(PAIR, standalone, role('load-balancer')), held('FAC-B')],
  ['SNMP: a load balancer, and a unit that is not configured holds it', balancer, held('FAC-X'), 'unknown -'],
  ['SNMP: undetermined', clustered('undetermined'), held('FAC-B'), `warning ${ON_PEER}`],
  [
    'SNMP: undetermined, and no peer is reported yet',
    listed(PAIR, standalone, role('undetermined')),
    held('FAC-B'),
    `warning ${ON_PEER}`,
  ],
  [
    'SNMP: the secondary holds it before activation',
    listed(PAIR, beforeActivation, role('cluster-primary')),
    held('FAC-B'),
    `broken ${ON_PEER}`,
  ],
];

/** The peer answers and reports no other member. */
const FAILED_OVER_ALONE: Row = [
  'after a failover, the licence on the member that is gone',
  listed(PAIR, applianceFacts({ system: { serial: 'FAC-B', peerSerial: null } })),
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
  it.each<Row>([...ROWS, FAILED_OVER_ALONE])('%s, in any case', (_, seen, outcome, ...expected) => {
    const { config } = seen;
    const typed = {
      ...config,
      serial: config.serial?.toLowerCase() ?? null,
      peerSerial: config.peerSerial?.toLowerCase() ?? null,
      licenses: config.licenses.map((license) => license.toLowerCase()),
    };
    const findings = judge(seen, outcome);
    expect(levelsOf(findings)).toEqual(expected);
    expect(judge({ ...seen, config: typed }, outcome)).toEqual(findings);
  });

  it.each([
    ['the secondary, which answers', clustered('cluster-secondary'), 'FAC-A', 'FAC-B'],
    ['the secondary, while the primary answers', clustered('cluster-primary'), 'FAC-B', 'FAC-A'],
    ['the old primary, by a failover that SNMP does not tell', listed(PAIR, failedOver), 'FAC-A', 'FAC-B'],
    ['the peer, which runs alone', unit, 'FAC-B', 'FAC-A'],
    ['a stranger, while the secondary answers', clustered('cluster-secondary'), 'FAC-X', 'FAC-B'],
  ])('on %s is told with its holder and the unit where it belongs', (_, seen, holder, primary) => {
    expect(judge(seen, held(holder))).toMatchObject([{ facts: { holder, primary } }]);
  });

  it.each<[string, readonly LicenseLookup[], readonly string[]]>([
    ['nothing', [], [`unknown ${LICENSE}`]],
    ['another licence', [{ license: 'EFTM111111111111', outcome: held('FAC-A') }], [`unknown ${LICENSE}`]],
    ['it', [{ license: LICENSE, outcome: held('FAC-A') }], []],
    ['it in another case', [{ license: LICENSE.toLowerCase(), outcome: held('FAC-A') }], []],
  ])('a licence is not known to be registered when %s was looked up', (_, lookups, expected) => {
    const findings = judgeUnits([unit], { kind: 'ok', lookups });
    expect(findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual(expected);
  });

  it('says that nothing was looked up, or that no licence is known', () => {
    const registration = { kind: 'ok', lookups: [] } as const;
    expect(judgeUnits([unit], registration)).toMatchObject([{ rule: 'license-looked-up', subject: LICENSE }]);
    expect(judgeUnits([WITHOUT_LICENSE], registration)).toMatchObject([{ rule: 'license-known' }]);
  });

  it('is looked up only if it can be registered', () => {
    const trial = listed({ ...PAIR, licenses: [LICENSE, 'FTMTRIAL00000001'] }, standalone);
    expect(judge(trial, held('FAC-A'))).toEqual([]);
  });

  it('says how many licences were looked up, and calls the others neither registered nor unknown', async () => {
    const numbers = Array.from({ length: 60 }, (_, index) => `EFTM${String(index).padStart(12, '0')}`);
    const appliances = [{ name: 'fac-1', serial: 'FAC-A', licenses: numbers }];
    const registration = { user: 'api', passwordEnv: 'SET_SECRET' };
    const config = await configOf({ appliances, registration });
    const units = config.appliances.map((one) => ({ config: one, rest: null, role: null }));
    const lookups = numbers.map((license, index) => ({
      license,
      outcome: index < 50 ? held('FAC-A') : ({ kind: 'queued' } as const),
    }));
    const picture: Picture = { appliances: units, firewall: [], registration: { kind: 'ok', lookups }, peers: [] };
    const own = licenseAssignment.judge(factsOf({ config, picture }));
    expect(own.summary).toMatch(/^50 of 60 /u);
    expect(own.findings).toMatchObject([{ level: 'note', claim: expect.stringMatching(/^50 of 60 /u) }]);
  });

  it('names the licence, the serial and the holder', () => {
    const [finding] = judge(unit, held('FAC-X'));
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

  it.each([
    ['that is fine', 'FAC-A', []],
    ['that is not', 'FAC-X', ['broken license-on-other-unit']],
  ] as const)('judges a licence %s by the last answer, and says how old that is', (_, serial, expected) => {
    const kept = { since: Date.UTC(2026, 10, 24, 13), because: failure };
    const findings = judgeUnits([listed(PAIR, cluster)], {
      kind: 'ok',
      lookups: [{ license: LICENSE, outcome: held(serial), kept }],
    });
    expect(levelsOf(findings)).toEqual([...expected, 'note -']);
    expect(findings.at(-1)?.rule).toBe('registration-answers-again');
  });

  it('leaves out the licences of other appliances', () => {
    const registration: RegistrationObservation = {
      kind: 'ok',
      lookups: [
        { license: 'EFTM999999999999', outcome: held('FAC-X') },
        { license: LICENSE, outcome: held('FAC-A') },
      ],
    };
    expect(judgeUnits([unit], registration)).toEqual([]);
  });
});

describe('the summary', () => {
  const kept = (hour: number, license: string): LicenseLookup => ({
    license,
    outcome: held('FAC-A'),
    kept: { since: Date.UTC(2026, 10, 24, hour), because: failure },
  });

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
