import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import type { UnitObservation } from '../../../../src/connectors/picture.ts';
import {
  cluster,
  failedOver,
  held,
  judge,
  LICENSE,
  listed,
  PAIR,
  role,
  standalone,
} from '../../../support/checks/license-bench.ts';
import { CONTEXT } from '../../../support/checks/judged-round.ts';

interface Row {
  readonly name: string;
  readonly unit: UnitObservation;
  readonly holder: string;
  /** Where the licence belongs. */
  readonly primary: string;
  readonly expected: string;
  readonly claim: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'the unit that answers is the secondary and holds it',
    unit: listed(PAIR, cluster, role('cluster-secondary')),
    holder: 'FAC-A',
    primary: 'FAC-B',
    expected: 'registered to FAC-B, the current primary of the cluster (fac-1)',
    claim: 'The licence is registered to FAC-A, which is currently the secondary of the cluster.',
  },
  {
    name: 'the unit that answers is the primary, and the secondary holds it',
    unit: listed(PAIR, cluster, role('cluster-primary')),
    holder: 'FAC-B',
    primary: 'FAC-A',
    expected: 'registered to FAC-A, the current primary of the cluster (fac-1)',
    claim: 'The licence is registered to FAC-B, which is currently the secondary of the cluster.',
  },
  {
    name: 'after a failover that SNMP does not tell',
    unit: listed(PAIR, failedOver),
    holder: 'FAC-A',
    primary: 'FAC-B',
    expected: 'registered to FAC-B (fac-1)',
    claim: 'The licence is registered to the HA peer FAC-A.',
  },
  {
    name: 'the unit runs alone',
    unit: listed(PAIR, standalone),
    holder: 'FAC-B',
    primary: 'FAC-A',
    expected: 'registered to FAC-A (fac-1)',
    claim: 'The licence is registered to the HA peer FAC-B, but this unit is standalone.',
  },
];

function told(findings: readonly Finding[]): { readonly summary: string; readonly remedy: readonly string[] } {
  const { causes } = diagnose([{ id: 'license-assignment', kind: 'judged', findings, summary: '' }], CONTEXT);
  return { summary: causes[0]?.summary ?? '', remedy: causes[0]?.remedy ?? [] };
}

describe('what is told of a licence on the peer', () => {
  it.each(ROWS)('$name', ({ unit, holder, primary, expected, claim }) => {
    const findings = judge(unit, held(holder));
    expect(findings).toMatchObject([{ expected, claim, facts: { holder, primary } }]);
    const { summary, remedy } = told(findings);
    expect(summary).toBe(
      `Licence ${LICENSE} is registered to ${holder}, the HA peer, but fac-1 needs it on ${primary}.`,
    );
    expect(remedy[0]).toContain(`fail back or bring ${holder} back up as the primary`);
    expect(remedy[1]).toContain(
      `Customer Service at support.fortinet.com, and include both serial numbers (${holder} and ${primary}) and the ` +
        `licence number, ${LICENSE}`,
    );
    expect(remedy[2]).toContain(`delete its tokens on ${holder}, recreate them on ${primary}`);
    expect(remedy[3]).toContain('Licences shipped on or after 2025-08-04 cannot be transferred');
  });
});

describe('what is told of a licence on another unit', () => {
  it('names the primary as the unit that it should be on, whichever answers', () => {
    const findings = judge(listed(PAIR, cluster, role('cluster-secondary')), held('FAC-X'));
    expect(told(findings).summary).toBe(`Licence ${LICENSE} is registered to FAC-X, not to FAC-B.`);
  });
});
