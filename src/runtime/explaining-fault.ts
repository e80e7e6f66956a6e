import type { Diagnosis } from '../engine/diagnosis.ts';
import { isSmallShare } from '../checks/intermittent/finding.ts';
import { CHECKS } from '../checks/registry.ts';
import type { Finding } from '../engine/finding.ts';
import type { Incident } from '../engine/incident/incident.ts';
import type { FaultSeen } from '../checks/polling/explained.ts';

const EXPLAINING: ReadonlySet<string> = new Set(
  CHECKS.filter(({ from }) => from === 'log').flatMap(({ explainedBy }) => explainedBy.map(({ by }) => by)),
);

/** What is broken that makes FortiAuthenticator complain in its log. */
export function explainingFaults({ preconditions, at }: Diagnosis): readonly FaultSeen[] {
  return preconditions
    .filter(({ id, state, findings }) => EXPLAINING.has(id) && (state === 'broken' || findings.some(isSmallShare)))
    .flatMap(({ id: precondition, findings }) =>
      sufferers(findings).map((appliance) => ({ precondition, appliance, at })),
    );
}

function sufferers(findings: readonly Finding[]): readonly (string | null)[] {
  const faults = findings.filter((finding) => finding.level === 'broken' || isSmallShare(finding));
  return [...new Set(faults.flatMap(({ concerns }): readonly (string | null)[] => concerns ?? [null]))];
}

/** When such faults were seen last, as the incidents remember it over a restart. They do not tell who suffered. */
export function lastExplainingFaults(incidents: readonly Incident[]): readonly FaultSeen[] {
  return incidents
    .filter(({ cause }) => EXPLAINING.has(cause.precondition))
    .map(({ cause: { precondition }, lastSeen }) => ({ precondition, appliance: null, at: lastSeen }));
}
