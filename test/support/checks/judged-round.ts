import type { Assessment, Finding } from '../../../src/engine/model.ts';
import type { diagnose } from '../../../src/engine/diagnose.ts';
import { CHECKS, type FaultId, type PreconditionId } from '../../../src/checks/registry.ts';

type DiagnosisContext = Parameters<typeof diagnose>[1];

/** Context of a site about which nothing else is known. */
export const CONTEXT: DiagnosisContext = {
  checks: CHECKS,
  site: 'hq',
  at: Date.UTC(2026, 10, 24, 13),
  host: 'fortitokenmobile.fortinet.com',
  port: 443,
  source: null,
  activation: { licenseActive: null, offlineSupported: null },
  applianceUnaffected: false,
};

export const TARGET = 'fortitokenmobile.fortinet.com:443';

export function finding(suggests: FaultId | null, overrides: Partial<Finding> = {}): Finding {
  return {
    rule: 'some-rule',
    subject: TARGET,
    claim: `${overrides.actual ?? 'that'}.`,
    expected: 'this',
    actual: 'that',
    level: 'broken',
    suggests,
    ...overrides,
  };
}

export type Special = readonly [id: PreconditionId, findings: readonly Finding[], kind?: Assessment['kind']];

/** Returns judgements in which all preconditions are met, except for these. */
export function judgedRound(...special: readonly Special[]): readonly Assessment[] {
  return CHECKS.map(({ id }) => {
    const [, findings, kind] = special.find(([candidate]) => candidate === id) ?? [id, []];
    return { id, kind: kind ?? 'judged', findings, summary: 'Everything works' };
  });
}
