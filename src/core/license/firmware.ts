import { firmwareVersion, type Version } from './appliance.ts';

/**
 * A known fact about some versions of FortiAuthenticator firmware. The catalogue is data: config/firmware-facts.yaml.
 */
export interface FirmwareFact {
  readonly id: string;
  /** Where the fact is displayed; see the catalogue. */
  readonly use: FactUse;
  readonly affected: readonly VersionRange[];
  /** Versions in the ranges that the source does not mention. */
  readonly notMentioned: readonly Version[];
  /** Minimum memory in KB, for `memory`. */
  readonly leastMemoryKb: number | null;
  /** What happens, as the continuation of "Firmware 6.5.3". */
  readonly summary: string;
  /** What to do, as the continuation after a colon. */
  readonly todo: string;
  /** For `outage`: what must not be done during an outage, as a sentence with `{units}`. */
  readonly warning: string | null;
  readonly source: string;
}

export type FactUse = (typeof FACT_USES)[number];

export const FACT_USES = ['note', 'outage', 'memory', 'snmp-sha1'] as const;

/** Both ends are inclusive. Null means open. */
interface VersionRange {
  readonly from: Version | null;
  readonly to: Version | null;
}

/** A fact that applies to a unit because of its version. */
export interface KnownFact {
  readonly fact: FirmwareFact;
  /** For example `6.5.3`. */
  readonly version: string;
  /** The version is within the range, but the source does not mention it. */
  readonly isUncertain: boolean;
}

/**
 * Returns the known facts about a firmware such as `FACVMKVM v6.5.3, build1234 (GA)`. Empty if it contains no version.
 */
export function factsAbout(firmware: string | null, facts: readonly FirmwareFact[]): readonly KnownFact[] {
  const version = firmware === null ? null : firmwareVersion(firmware);
  if (version === null) return [];
  return facts
    .filter(({ affected }) => affected.some((range) => isWithin(version, range)))
    .map((fact) => ({
      fact,
      version: version.join('.'),
      isUncertain: fact.notMentioned.some((other) => compareVersions(version, other) === 0),
    }));
}

function isWithin(version: Version, { from, to }: VersionRange): boolean {
  return (from === null || compareVersions(version, from) >= 0) && (to === null || compareVersions(version, to) <= 0);
}

function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Returns one sentence on what must not be done to these units during an outage, or null if nothing is known. */
export function outageWarning(
  units: readonly { readonly name: string; readonly known: readonly KnownFact[] }[],
): string | null {
  const warnings = units.flatMap(({ name, known }) =>
    known
      .filter(({ fact, isUncertain }) => fact.use === 'outage' && !isUncertain)
      .map(({ fact, version }) => ({ fact, unit: `${name} (${version})` })),
  );
  const [first] = warnings;
  if (first === undefined) return null;
  const names = [...new Set(warnings.filter(({ fact }) => fact === first.fact).map(({ unit }) => unit))];
  return first.fact.warning?.replace('{units}', () => namesOf(names)) ?? null;
}

/** Maximum number of units in one sentence. */
const MOST_UNITS = 3;

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_UNITS).join(', ');
  return names.length > MOST_UNITS ? `${shown} or ${String(names.length - MOST_UNITS)} more units` : shown;
}
