export type Version = readonly [major: number, minor: number, patch: number];

/** From a text such as `FACVMKVM v8.0.3, build0099 (GA)`. */
export function firmwareVersion(firmware: string): Version | null {
  const match = /\bv?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/u.exec(firmware);
  if (match === null) return null;
  const [, major, minor, patch] = match;
  return [Number(major), Number(minor), Number(patch ?? 0)];
}

/** Negative if the first version is older. */
function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function isAtLeast(version: Version, wanted: Version): boolean {
  return compareVersions(version, wanted) >= 0;
}

/** False if one of the versions is unknown. */
export function isDowngrade(from: string | null, to: string | null): boolean {
  const before = firmwareVersion(from ?? '');
  const after = firmwareVersion(to ?? '');
  return before !== null && after !== null && !isAtLeast(after, before);
}

/** From config/firmware-facts.yaml, which describes the values of `use`. */
export interface FirmwareFact {
  readonly id: string;
  readonly use: FactUse;
  readonly affected: readonly VersionRange[];
  /** Versions that are within the ranges but that the source does not mention. */
  readonly notMentioned: readonly Version[];
  /** Set only if `use` is `memory`. */
  readonly leastMemoryKb: number | null;
  /** Text that follows "Firmware 6.5.3" in a sentence. */
  readonly summary: string;
  /** Text that follows a colon in a sentence. */
  readonly todo: string;
  /** Actions to avoid during an outage, as a sentence with the placeholder `{units}`. Set only if `use` is `outage`. */
  readonly warning: string | null;
  readonly source: string;
  /** The day on which the fact was last compared with its source, such as `2026-11-30`. */
  readonly asOf: string;
}

export type FactUse = (typeof FACT_USES)[number];

export const FACT_USES = ['note', 'outage', 'memory', 'snmp-sha1'] as const;

/** Both ends are inclusive. Null means that the range is open at that end. */
interface VersionRange {
  readonly from: Version | null;
  readonly to: Version | null;
}

export interface KnownFact {
  readonly fact: FirmwareFact;
  /** For example `6.5.3`. */
  readonly version: string;
  /** The version is within a range, but the source does not mention it. */
  readonly isUncertain: boolean;
  /** The recommended versions, with the IDs of other facts that list them as affected. */
  readonly recommended: ReadonlyMap<string, readonly string[]>;
}

/** `firmware` is a text such as `FACVMKVM v6.5.3, build1234 (GA)`. */
export function factsAbout(firmware: string | null, facts: readonly FirmwareFact[]): readonly KnownFact[] {
  const version = firmware === null ? null : firmwareVersion(firmware);
  if (version === null) return [];
  return facts
    .filter((fact) => isAffected(version, fact))
    .map((fact) => ({
      fact,
      version: version.join('.'),
      isUncertain: fact.notMentioned.some((other) => compareVersions(version, other) === 0),
      recommended: recommendedBy(fact, facts),
    }));
}

/** The newest date of the facts. Null if there are no facts. */
export function factsAsOf(facts: readonly FirmwareFact[]): string | null {
  return (
    facts
      .map(({ asOf }) => asOf)
      .toSorted()
      .at(-1) ?? null
  );
}

const FAULTS: readonly FactUse[] = ['note', 'outage'];

function recommendedBy({ id, todo }: FirmwareFact, facts: readonly FirmwareFact[]): KnownFact['recommended'] {
  const others = facts.filter((other) => other.id !== id && FAULTS.includes(other.use));
  return new Map(
    [...todo.matchAll(/\d+\.\d+(?:\.\d+)?/gu)].map(([text]) => {
      const version = firmwareVersion(text);
      return [text, others.filter((other) => isAffected(version, other)).map((other) => other.id)] as const;
    }),
  );
}

function isAffected(version: Version | null, { affected }: FirmwareFact): boolean {
  return version !== null && affected.some((range) => isWithin(version, range));
}

function isWithin(version: Version, { from, to }: VersionRange): boolean {
  return (from === null || compareVersions(version, from) >= 0) && (to === null || compareVersions(version, to) <= 0);
}

/** Returns a sentence about actions to avoid on these units during an outage. */
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

const MOST_UNITS = 3;

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_UNITS).join(', ');
  return names.length > MOST_UNITS ? `${shown} or ${String(names.length - MOST_UNITS)} more units` : shown;
}
