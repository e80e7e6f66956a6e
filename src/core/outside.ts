import type { EpochMs } from './clock.ts';

/** A probe of a public measurement service, in a network that is independent of this site. */
export interface OutsideProbe {
  /** Number of the probe's network (autonomous system). */
  readonly asn: number;
  readonly network: string;
  /** ISO 3166-1, two letters. */
  readonly country: string;
}

export interface OutsideLeaf extends OutsideProbe {
  /** SHA-256, as in {@link Certificate}. */
  readonly fingerprint: string;
  /** The issuer's common name or organization. Null if the certificate has neither. */
  readonly issuer: string | null;
  readonly notAfter: EpochMs | null;
}

export interface OutsideReach extends OutsideProbe {
  /** Whether any TCP connection to the port was accepted. */
  readonly reached: boolean;
}

export interface OutsideAnswer extends OutsideProbe {
  /** IPv4 addresses that the probe's resolver returned. */
  readonly addresses: readonly string[];
}

/** The results that a measurement can have. */
export interface OutsideResults {
  readonly certificate: OutsideLeaf;
  readonly reach: OutsideReach;
  readonly addresses: OutsideAnswer;
}

export type OutsideKind = keyof OutsideResults;

export const OUTSIDE_KINDS: readonly OutsideKind[] = ['certificate', 'reach', 'addresses'];

export interface OutsideMeasurement<Kind extends OutsideKind = OutsideKind> {
  /** When it was requested. */
  readonly at: EpochMs;
  /** Only results that prove something: a failed HTTP measurement, for example, has none. */
  readonly results: readonly OutsideResults[Kind][];
  /** The service's whole answer, for reports. */
  readonly answer: unknown;
}

/** What the licence server looks like from other networks. A kind is null if it was not measured or is outdated. */
export interface OutsideView {
  readonly certificate: OutsideMeasurement<'certificate'> | null;
  readonly reach: OutsideMeasurement<'reach'> | null;
  readonly addresses: OutsideMeasurement<'addresses'> | null;
  /** When probes last reached the licence server while this site reached it as well. */
  readonly reachedAt: EpochMs | null;
  /** Measurements that have been requested and have not ended. */
  readonly asking: readonly OutsideKind[];
  /** Why the latest measurement has no result. */
  readonly trouble: string | null;
}

/** A single network proves nothing, because a probe may itself be inspected. */
export const FEWEST_NETWORKS = 3;

export function networksOf(probes: readonly OutsideProbe[]): number {
  return new Set(probes.map(({ asn }) => asn)).size;
}

export function countriesOf(probes: readonly OutsideProbe[]): readonly string[] {
  return [...new Set(probes.map(({ country }) => country))].toSorted();
}
