import type { ApplianceObservation } from './appliance.ts';
import { valueOf } from './resource.ts';

/** More licences than any site has on one unit; each costs a call of a small quota. */
const MAX_LICENSES = 50;

/** Trial licences come with the unit and are not registered to anybody. */
const REGISTRABLE = /^EFTM/iu;

/** The licences to look up for one appliance: the configured ones, and those that its tokens came with. */
export function licensesOf(configured: readonly string[], observation: ApplianceObservation | null): readonly string[] {
  const seen = observation?.kind === 'ok' ? (valueOf(observation.tokens)?.byLicense ?? []) : [];
  const found = seen.map(({ license }) => license).filter((license) => REGISTRABLE.test(license));
  return [...new Set([...configured, ...found].map((license) => license.toUpperCase()))].slice(0, MAX_LICENSES);
}
