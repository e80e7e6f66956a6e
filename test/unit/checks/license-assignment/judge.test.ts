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

interface Row {
  readonly name: string;
  readonly unit: ExpectedUnit;
  readonly seen: ReturnType<typeof applianceFacts> | null;
  readonly outcome: LicenseOutcome;
  readonly expected: readonly [level: string, suggests: string | null] | null;
}

const ROWS: readonly Row[] = [
  { name: 'this unit, standalone', unit: PAIR, seen: standalone, outcome: held('FAC-A'), expected: null },
  { name: 'this unit, in another case', unit: PAIR, seen: standalone, outcome: held('fac-a'), expected: null },
  { name: 'this unit, in a cluster', unit: PAIR, seen: cluster, outcome: held('FAC-A'), expected: null },
  {
    name: 'peer in a cluster',
    unit: PAIR,
    seen: cluster,
    outcome: held('FAC-B'),
    expected: ['warning', 'license-on-peer'],
  },
  {
    name: 'peer in a cluster that the configuration does not name',
    unit: ALONE,
    seen: cluster,
    outcome: held('FAC-B'),
    expected: ['warning', 'license-on-peer'],
  },
  {
    name: 'peer in a cluster before activation',
    unit: PAIR,
    seen: applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-B' }, tokens: TRIAL_ONLY }),
    outcome: held('FAC-B'),
    expected: ['broken', 'license-on-peer'],
  },
  {
    name: 'peer of a standalone unit',
    unit: PAIR,
    seen: standalone,
    outcome: held('FAC-B'),
    expected: ['broken', 'license-on-peer'],
  },
  {
    name: 'peer, nothing known of the cluster',
    unit: PAIR,
    seen: null,
    outcome: held('FAC-B'),
    expected: ['warning', 'license-on-peer'],
  },
  {
    name: 'other unit',
    unit: PAIR,
    seen: cluster,
    outcome: held('FAC-X'),
    expected: ['broken', 'license-on-other-unit'],
  },
  {
    name: 'other unit, nothing but the configuration known',
    unit: PAIR,
    seen: null,
    outcome: held('FAC-X'),
    expected: ['broken', 'license-on-other-unit'],
  },
  {
    name: 'the unit of before a migration',
    unit: ALONE,
    seen: migrated,
    outcome: held('FAC-A'),
    expected: ['broken', 'license-on-other-unit'],
  },
  {
    name: 'no serial known at all',
    unit: { ...ALONE, serial: null },
    seen: null,
    outcome: held('FAC-A'),
    expected: ['unknown', null],
  },
  {
    name: 'after a failover, the licence on the old primary',
    unit: PAIR,
    seen: failedOver,
    outcome: held('FAC-A'),
    expected: ['warning', 'license-on-peer'],
  },
  {
    name: 'after a failover, the licence on the unit in charge',
    unit: PAIR,
    seen: failedOver,
    outcome: held('FAC-B'),
    expected: null,
  },
  {
    name: 'not registered',
    unit: PAIR,
    seen: cluster,
    outcome: { kind: 'unregistered', status: 'Pending' },
    expected: ['broken', 'license-not-registered'],
  },
  {
    name: 'listed without a serial that can be read',
    unit: PAIR,
    seen: cluster,
    outcome: { kind: 'unnamed', status: 'Registered' },
    expected: ['unknown', null],
  },
  { name: 'not listed', unit: PAIR, seen: cluster, outcome: { kind: 'not-listed' }, expected: ['unknown', null] },
  {
    name: 'postponed',
    unit: PAIR,
    seen: cluster,
    outcome: { kind: 'postponed', until: 0 },
    expected: ['unknown', null],
  },
  {
    name: 'failed',
    unit: PAIR,
    seen: cluster,
    outcome: { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 },
    expected: ['unknown', null],
  },
];

/** The peer answers and reports no other member. */
const FAILED_OVER_ALONE: Row = {
  name: 'after a failover, the licence on the member that is gone',
  unit: PAIR,
  seen: applianceFacts({ system: { serial: 'FAC-B', peerSerial: null } }),
  outcome: held('FAC-A'),
  expected: ['broken', 'license-on-peer'],
};

const WITHOUT_LICENSE = listed(
  { ...PAIR, licenses: [] },
  applianceFacts({ system: { serial: 'FAC-A', peerSerial: null }, tokens: TRIAL_ONLY }),
);

describe('a licence', () => {
  it.each(ROWS)('$name', ({ unit, seen, outcome, expected }) => {
    const findings = judge(listed(unit, seen), outcome);
    expect(findings.map((finding) => [finding.level, finding.suggests])).toEqual(expected === null ? [] : [expected]);
  });

  it.each([...ROWS, FAILED_OVER_ALONE])('$name, typed in lower case', ({ unit, seen, outcome, expected }) => {
    const typed = {
      name: unit.name,
      serial: unit.serial?.toLowerCase() ?? null,
      peerSerial: unit.peerSerial?.toLowerCase() ?? null,
      licenses: unit.licenses.map((license) => license.toLowerCase()),
    };
    expect(judge(listed(typed, seen), outcome)).toEqual(judge(listed(unit, seen), outcome));
    expect(judge(listed(typed, seen), outcome).map(({ level, suggests }) => [level, suggests])).toEqual(
      expected === null ? [] : [expected],
    );
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
    expect(judgeUnits([unit], registration)).toMatchObject([
      {
        rule: 'license-looked-up',
        subject: LICENSE,
        claim: 'The licence has not been looked up yet.',
        expected: 'an answer from the registration service',
      },
    ]);
    expect(judgeUnits([WITHOUT_LICENSE], registration)).toMatchObject([
      {
        rule: 'license-known',
        claim: 'The licence numbers of this unit are unknown, so add them to appliances[].licenses.',
      },
    ]);
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

  it('says how old an answer is that still counts', () => {
    const unit = listed(PAIR, cluster);
    const because = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;
    const kept = { since: Date.UTC(2026, 10, 24, 13), because };
    const registration = { kind: 'ok', lookups: [{ license: LICENSE, outcome: held('FAC-A'), kept }] } as const;
    expect(judgeUnits([unit], registration)[0]?.claim).toBe(
      'The registration service did not answer (timeout); its answer from 2026-11-24 13:00:00 UTC is still used.',
    );
  });

  it('names the licence, the serial and the holder', () => {
    const [finding] = judge(listed(PAIR, standalone), held('FAC-X'));
    expect(finding).toEqual({
      rule: 'license-registered-to-this-unit',
      subject: LICENSE,
      claim:
        'The licence is registered to FAC-X, which is neither this unit nor a known peer, and without SNMP, it ' +
        'is unknown whether fac-1 is a load balancer or a member of a pair.',
      expected: 'registered to FAC-A (fac-1)',
      level: 'broken',
      suggests: 'license-on-other-unit',
      confidence: 'suspected',
      kind: 'role-unknown',
      concerns: ['fac-1'],
      facts: { appliance: 'fac-1', serial: 'FAC-A', primary: 'FAC-A', license: LICENSE, holder: 'FAC-X' },
    });
  });

  it.each<readonly [LicenseOutcome, ExpectedUnit, ReturnType<typeof applianceFacts> | null, claim: string]>([
    [
      { kind: 'unregistered', status: 'Pending' },
      PAIR,
      cluster,
      'The licence is not registered to any unit (status "Pending").',
    ],
    [
      { kind: 'unnamed', status: 'Registered' },
      PAIR,
      cluster,
      'The licence is listed as "Registered" without a readable serial number.',
    ],
    [{ kind: 'unnamed', status: null }, PAIR, cluster, 'The licence is listed without a readable serial number.'],
    [{ kind: 'not-listed' }, PAIR, cluster, 'The licence is not listed by the registration service.'],
    [
      { kind: 'postponed', until: Date.UTC(2026, 10, 24, 13) },
      PAIR,
      cluster,
      'The registration service is not queried before 2026-11-24 13:00:00 UTC, because of its quota or earlier ' +
        'failures.',
    ],
    [
      held('FAC-A'),
      { ...ALONE, serial: null },
      null,
      'The licence is registered to FAC-A, but the serial number of fac-1 is unknown.',
    ],
    [held('FAC-X'), PAIR, cluster, 'The licence is registered to FAC-X, which is neither this unit nor its peer.'],
    [held('FAC-B'), PAIR, standalone, 'The licence is registered to the HA peer FAC-B, but this unit is standalone.'],
    [
      held('FAC-B'),
      PAIR,
      null,
      'The licence is registered to the HA peer FAC-B, and the state of the cluster is unknown.',
    ],
    [
      held('FAC-B'),
      PAIR,
      applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-B' }, tokens: TRIAL_ONLY }),
      'The licence is registered to the HA peer FAC-B, and is not activated yet.',
    ],
  ])('says of %j what is the matter', (outcome, unit, seen, claim) => {
    expect(judge(listed(unit, seen), outcome)[0]?.claim).toBe(claim);
  });

  it('expects an unknown serial to be that of the unit by its name', () => {
    const [finding] = judge(listed({ ...ALONE, serial: null }, null), held('FAC-A'));
    expect(finding).toMatchObject({ expected: 'registered to fac-1', level: 'unknown' });
  });

  it('says what the service did', () => {
    const unit = listed(PAIR, standalone);
    const denied = { kind: 'denied', message: 'HTTP 401' } as const;
    expect(judgeUnits([unit], denied)).toMatchObject([
      {
        rule: 'registration-service-answers',
        claim: 'The registration service refused the API user.',
        expected: 'an answer from the registration service',
      },
    ]);
  });

  it.each<[string, RegistrationObservation]>([
    ['denied', { kind: 'denied', message: 'HTTP 401' }],
    ['postponed', { kind: 'postponed', until: 0 }],
    ['failed', { kind: 'failed', reason: 'refused', message: 'connect ECONNREFUSED', durationMs: 1 }],
  ])('leaves it unknown when the service is %s', (_, registration) => {
    const unit = listed(PAIR, standalone);
    const findings = judgeUnits([unit], registration);
    expect(findings.map(({ level, suggests, subject }) => ({ level, suggests, subject }))).toEqual([
      { level: 'unknown', suggests: null, subject: 'fac-1' },
    ]);
  });

  it.each([
    ['that is fine', 'FAC-A', []],
    ['that is not', 'FAC-X', ['broken license-on-other-unit']],
  ] as const)('judges a licence %s by the last answer, and says how old that is', (_, serial, expected) => {
    const unit = listed(PAIR, cluster);
    const because = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;
    const lookups = [{ license: LICENSE, outcome: held(serial), kept: { since: Date.UTC(2026, 10, 24, 13), because } }];
    const findings = judgeUnits([unit], { kind: 'ok', lookups });
    expect(
      findings.filter(({ level }) => level !== 'note').map(({ level, suggests }) => `${level} ${suggests ?? '-'}`),
    ).toEqual(expected);
    expect(findings.at(-1)).toMatchObject({
      level: 'note',
      rule: 'registration-answers-again',
    });
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
    expect(judgeUnits([WITHOUT_LICENSE], registration)).toMatchObject([
      {
        rule: 'license-known',
        expected: 'a licence number, configured or read from the appliance',
      },
    ]);
  });
});

describe('the summary', () => {
  const because = { kind: 'failed', reason: 'timeout', message: 'no answer', durationMs: 1 } as const;
  const kept = (hour: number, license: string): LicenseLookup => ({
    license,
    outcome: held('FAC-A'),
    kept: { since: Date.UTC(2026, 10, 24, hour), because },
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
