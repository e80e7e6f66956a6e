import { describe, expect, it } from 'vitest';
import type { HaRoleObservation, haRoleOf } from '../../../../src/core/license/appliance.ts';
import type { UnitObservation } from '../../../../src/connectors/picture.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import {
  ALONE,
  cluster,
  type ExpectedUnit,
  failedOver,
  held,
  judgeUnits,
  LICENSE,
  listed,
  role,
  standalone,
  TRIAL_ONLY,
} from '../../../support/checks/license-bench.ts';

type HaRole = NonNullable<ReturnType<typeof haRoleOf>>;

describe('a group of configured units', () => {
  const FIRST: ExpectedUnit = { name: 'fac-1', serial: 'FAC-A', peerSerial: 'FAC-B', licenses: [LICENSE] };
  const SECOND: ExpectedUnit = { name: 'fac-2', serial: 'FAC-B', peerSerial: 'FAC-A', licenses: [] };
  const BALANCER: ExpectedUnit = { name: 'fac-lb', serial: 'FAC-LB', peerSerial: null, licenses: [] };
  const [onA, onB] = [cluster, failedOver];
  const balancing = applianceFacts({ system: { serial: 'FAC-LB', peerSerial: null } });
  const unreadable = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;
  const silent: HaRoleObservation = { ...unreadable, appliance: 'fac-lb' };
  const tip = (serial: string, value: HaRole): HaRoleObservation => role(value, serial);

  /** It is unknown whether the unit is a load balancer, a member of a pair, or restored from a backup. */
  const PERHAPS = 'fac-lb warning license-on-other-unit suspected';

  const first = listed(FIRST, onA);
  const second = listed(SECOND, onB);
  const named = { ...SECOND, licenses: [LICENSE] };
  const alone = listed(ALONE, standalone);
  const balancer = listed(BALANCER, balancing, tip('FAC-LB', 'load-balancer'));
  const perhaps = listed(BALANCER, balancing);
  const holding = { ...BALANCER, licenses: [LICENSE] };
  const trials = (serial: string, peerSerial: string | null) =>
    applianceFacts({ system: { serial, peerSerial }, tokens: TRIAL_ONLY });
  const beforeActivation = [listed(FIRST, trials('FAC-A', 'FAC-B')), listed(SECOND, trials('FAC-B', 'FAC-A'))];

  function found(units: readonly UnitObservation[], holder: string): readonly string[] {
    const registration = { kind: 'ok', lookups: [{ license: LICENSE, outcome: held(holder) }] } as const;
    return judgeUnits(units, registration).map(({ level, suggests, confidence, facts }) =>
      [facts?.appliance, level, suggests, confidence].filter((word) => typeof word === 'string').join(' '),
    );
  }

  it.each<[string, readonly UnitObservation[], holder: string, readonly string[]]>([
    ['a pair, the licence on the first', [first, second], 'FAC-A', []],
    ['a pair, the licence on the second', [first, second], 'FAC-B', []],
    ['a pair that both name it', [first, listed(named, onB)], 'FAC-A', []],
    ['a pair of whom nothing but the configuration is known', [listed(FIRST, null), listed(named, null)], 'FAC-A', []],
    [
      'a pair whose first does not answer just now',
      [
        listed({ ...FIRST, licenses: [] }, { ...unreadable, appliance: 'fac-1', endpoint: '10.0.0.5:443' }),
        listed(SECOND, onB),
      ],
      'FAC-A',
      [],
    ],
    [
      'a pair with the roles told, the licence on the primary',
      [listed(FIRST, onA, tip('FAC-A', 'cluster-primary')), listed(SECOND, onB, tip('FAC-B', 'cluster-secondary'))],
      'FAC-A',
      [],
    ],
    [
      'a pair with the roles told, the licence on the secondary',
      [listed(FIRST, onA, tip('FAC-A', 'cluster-secondary')), listed(SECOND, onB, tip('FAC-B', 'cluster-primary'))],
      'FAC-A',
      ['fac-1 warning license-on-peer', 'fac-2 warning license-on-peer'],
    ],
    [
      'a pair with the role of one told',
      [listed(FIRST, onA, tip('FAC-A', 'cluster-primary')), listed(SECOND, onB)],
      'FAC-B',
      ['fac-1 warning license-on-peer'],
    ],
    [
      'a pair before activation, the licence on the one that it is not configured for',
      beforeActivation,
      'FAC-B',
      ['fac-1 broken license-on-peer'],
    ],
    ['a pair before activation, the licence on the one that it is configured for', beforeActivation, 'FAC-A', []],
    [
      'a pair, the licence on a stranger',
      [first, second],
      'FAC-X',
      ['fac-1 broken license-on-other-unit', 'fac-2 broken license-on-other-unit'],
    ],
    [
      'two that run alone',
      [listed(FIRST, standalone), listed(SECOND, applianceFacts({ system: { serial: 'FAC-B', peerSerial: null } }))],
      'FAC-A',
      ['fac-2 broken license-on-peer'],
    ],
    [
      'a load balancer beside its primary',
      [listed(ALONE, standalone, tip('FAC-A', 'standalone-primary')), balancer],
      'FAC-A',
      [],
    ],
    ['a load balancer beside a cluster', [first, balancer], 'FAC-A', []],
    [
      'a load balancer that names the licence and whose SNMP does not answer just now',
      [alone, listed(holding, balancing, silent)],
      'FAC-A',
      [PERHAPS],
    ],
    [
      'a unit with the tokens of another that is configured too, its role not asked for',
      [alone, perhaps],
      'FAC-A',
      [PERHAPS],
    ],
    [
      'a unit with the tokens of another that is configured too, alone for certain',
      [alone, listed(BALANCER, balancing, tip('FAC-LB', 'standalone-primary'))],
      'FAC-A',
      ['fac-lb broken license-on-other-unit'],
    ],
    ['a load balancer whose primary is not configured', [balancer], 'FAC-A', ['fac-lb unknown']],
    [
      'a new unit that names the licence of the old one, which is configured too',
      [alone, listed(holding, balancing)],
      'FAC-A',
      [PERHAPS],
    ],
    [
      'a unit whose role is not told, the licence on a stranger',
      [alone],
      'FAC-X',
      ['fac-1 broken license-on-other-unit suspected'],
    ],
    [
      'a unit that runs alone by SNMP, the licence on a stranger',
      [listed(ALONE, standalone, tip('FAC-A', 'disabled'))],
      'FAC-X',
      ['fac-1 broken license-on-other-unit'],
    ],
  ])('%s', (_, units, holder, expected) => {
    expect(found(units, holder)).toEqual(expected);
  });

  it.each<readonly [string, of: ExpectedUnit, others: readonly UnitObservation[], users: readonly string[]]>([
    ['itself alone', FIRST, [], ['fac-1']],
    ['the other of its cluster', FIRST, [second], ['fac-1', 'fac-2']],
    [
      'the other of its cluster, which does not name it',
      FIRST,
      [listed({ ...SECOND, peerSerial: null }, null)],
      ['fac-1', 'fac-2'],
    ],
    [
      'one that names it as the other of its cluster',
      { ...FIRST, peerSerial: null },
      [listed(SECOND, null)],
      ['fac-1', 'fac-2'],
    ],
    ['no stranger', ALONE, [listed({ ...BALANCER, name: 'fac-3' }, balancing)], ['fac-1']],
    ['a load balancer', ALONE, [balancer], ['fac-1', 'fac-lb']],
    ['one of unknown serial', ALONE, [listed({ ...BALANCER, serial: null }, null)], ['fac-1', 'fac-lb']],
    [
      'any, itself of unknown serial',
      { ...ALONE, serial: null },
      [listed({ ...BALANCER, serial: 'FAC-C' }, null)],
      ['fac-1', 'fac-lb'],
    ],
  ])('a licence is used by %s', (_, of, others, users) => {
    const lookups = [{ license: LICENSE, outcome: held('FAC-X') }];
    const findings = judgeUnits([listed(of, null), ...others], { kind: 'ok', lookups });
    expect(findings.find(({ facts }) => facts?.appliance === of.name)?.concerns).toEqual(users);
  });

  const none = (unit: ExpectedUnit): ExpectedUnit => ({ ...unit, licenses: [] });

  it.each<readonly [string, unit: UnitObservation, others: readonly UnitObservation[], covered: boolean]>([
    ['alone', listed(none(ALONE), trials('FAC-A', null)), [second], false],
    ['that balances', listed(BALANCER, trials('FAC-LB', null), tip('FAC-LB', 'load-balancer')), [], true],
    ['whose other one has a licence', listed(SECOND, trials('FAC-B', 'FAC-A')), [first], true],
    ['whose other one has none', listed(SECOND, null), [listed(none(FIRST), null)], false],
    ['beside a stranger with one', listed(SECOND, null), [listed({ ...FIRST, serial: 'FAC-X' }, null)], false],
    ['beside one of unknown serial', listed(SECOND, null), [listed({ ...FIRST, serial: null }, null)], false],
  ])('a unit %s needs no licence of its own: %#', (_, unit, others, covered) => {
    const findings = judgeUnits([unit, ...others], { kind: 'ok', lookups: [] });
    const asks = findings.some(({ rule, subject }) => rule === 'license-known' && subject === unit.config.name);
    expect(asks).toBe(!covered);
  });
});
