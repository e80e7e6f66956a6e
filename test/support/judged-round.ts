import type { Assessment } from '../../src/core/assessment.ts';
import type { FaultId } from '../../src/core/cause.ts';
import type { DiagnosisContext } from '../../src/core/diagnosis/diagnose.ts';
import type { Finding } from '../../src/core/finding.ts';
import { PRECONDITIONS, type PreconditionId } from '../../src/core/precondition.ts';

/** Of a site about which nothing else is known. */
export const CONTEXT: DiagnosisContext = {
  site: 'hq',
  at: Date.UTC(2026, 10, 24, 13),
  host: 'fortitokenmobile.fortinet.com',
  port: 443,
  source: null,
  activation: { licenseActive: null, offlineActivation: null },
  applianceUnaffected: false,
};

export const TARGET = 'fortitokenmobile.fortinet.com:443';

export function finding(suggests: FaultId | null, overrides: Partial<Finding> = {}): Finding {
  return {
    rule: 'some-rule',
    subject: TARGET,
    expected: 'this',
    actual: 'that',
    level: 'broken',
    suggests,
    ...overrides,
  };
}

export type Special = readonly [id: PreconditionId, findings: readonly Finding[], kind?: Assessment['kind']];

/** All preconditions judged and well, but for these. */
export function round(...special: readonly Special[]): readonly Assessment[] {
  return PRECONDITIONS.map(({ id }) => {
    const [, findings, kind] = special.find(([candidate]) => candidate === id) ?? [id, []];
    return { id, kind: kind ?? 'judged', findings, summary: 'All is well' };
  });
}
