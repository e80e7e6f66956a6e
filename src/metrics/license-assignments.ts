import type { Config } from '../config/config.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import type { Finding } from '../engine/finding.ts';

export interface LicenseAssignment {
  readonly appliance: string;
  readonly license: string;
  readonly assigned: number;
}

/**
 * The configured licences that were judged: one that was not found wrong is where it belongs. One that could not be
 * judged is left out, whatever is known about the others. Licences that only an appliance names are none: they would be
 * labels out of the network.
 */
export function licenseAssignments(
  { preconditions }: Diagnosis,
  { appliances, registration }: Pick<Config, 'appliances'> & { readonly registration: object | null },
): readonly LicenseAssignment[] {
  const status = preconditions.find(({ id }) => id === 'license-assignment');
  if (status === undefined || registration === null || status.state === 'not-configured') return [];
  // Unknown without a finding: not looked at yet.
  if (status.state === 'unknown' && status.findings.length === 0) return [];
  const byAppliance = Map.groupBy(status.findings, ({ facts }) => facts?.appliance);
  return appliances.flatMap(({ name: appliance, licenses }) =>
    licenses.flatMap((license) => {
      const levels = (byAppliance.get(appliance) ?? [])
        .filter((finding) => concerns(finding, license))
        .map(({ level }) => level);
      const isWrong = levels.includes('broken') || levels.includes('warning');
      return levels.includes('unknown') ? [] : [{ appliance, license, assigned: isWrong ? 0 : 1 }];
    }),
  );
}

/** Of the findings on its appliance: one that names no licence is about all of them. */
function concerns({ facts }: Finding, license: string): boolean {
  return (facts?.license ?? license).toUpperCase() === license.toUpperCase();
}
