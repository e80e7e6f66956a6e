import { describe, expect, it } from 'vitest';
import type { ApplianceFacts, HaRoleObservation, ExpectedUnit } from '../../../../src/core/license/appliance.ts';
import type { LicenseOutcome } from '../../../../src/core/license/registration.ts';
import { ALONE, cluster, held, judge, listed, PAIR, role, standalone } from '../../../support/checks/license-bench.ts';

interface Row {
  readonly name: string;
  readonly unit: ExpectedUnit;
  readonly seen: ApplianceFacts | null;
  readonly role: HaRoleObservation;
  readonly outcome: LicenseOutcome;
  readonly expected: readonly [level: string, suggests: string | null] | null;
}

const ROWS: readonly Row[] = [
  {
    name: 'peer, standalone by SNMP alone',
    unit: PAIR,
    seen: null,
    role: role('standalone-primary'),
    outcome: held('FAC-B'),
    expected: ['broken', 'license-on-peer'],
  },
  {
    name: 'SNMP: this unit is primary and holds it',
    unit: PAIR,
    seen: cluster,
    role: role('cluster-primary'),
    outcome: held('FAC-A'),
    expected: null,
  },
  {
    name: 'SNMP: this unit is secondary and holds it',
    unit: PAIR,
    seen: cluster,
    role: role('cluster-secondary'),
    outcome: held('FAC-A'),
    expected: ['warning', 'license-on-peer'],
  },
  {
    name: 'SNMP: this unit is secondary, the primary holds it',
    unit: PAIR,
    seen: cluster,
    role: role('cluster-secondary'),
    outcome: held('FAC-B'),
    expected: null,
  },
  {
    name: 'SNMP reached the peer, which is secondary',
    unit: PAIR,
    seen: cluster,
    role: role('cluster-secondary', 'FAC-B'),
    outcome: held('FAC-A'),
    expected: null,
  },
  {
    name: 'SNMP: the peer is primary, without a serial',
    unit: PAIR,
    seen: cluster,
    role: role('cluster-secondary', null),
    outcome: held('FAC-B'),
    expected: null,
  },
  {
    name: 'SNMP: a load balancer that holds it itself',
    unit: ALONE,
    seen: standalone,
    role: role('load-balancer'),
    outcome: held('FAC-A'),
    expected: null,
  },
  {
    name: 'SNMP: a load balancer, the licence on a unit that is not configured',
    unit: ALONE,
    seen: standalone,
    role: role('load-balancer'),
    outcome: held('FAC-X'),
    expected: ['unknown', null],
  },
  {
    name: 'SNMP: undetermined',
    unit: PAIR,
    seen: cluster,
    role: role('undetermined'),
    outcome: held('FAC-B'),
    expected: ['warning', 'license-on-peer'],
  },
];

describe('a licence, with the role that SNMP reports', () => {
  it.each(ROWS)('$name', ({ unit, seen, role: told, outcome, expected }) => {
    const findings = judge(listed(unit, seen, told), outcome);
    expect(findings.map((finding) => [finding.level, finding.suggests])).toEqual(expected === null ? [] : [expected]);
  });

  it('names the primary that is missing behind a load balancer', () => {
    const [finding] = judge(listed(ALONE, standalone, role('load-balancer')), held('FAC-X'));
    expect(finding?.claim).toBe(
      'The licence is registered to FAC-X, which is not configured, so add the primary of the load balancer fac-1 to ' +
        'the configuration.',
    );
  });
});
