import type { EndpointObservation } from '../core/observation.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Finding } from '../engine/model.ts';

const MAX_CLAIMED = 100;

/** Returns where it was seen, for use in a sentence. */
export function placeOf({ address, proxy }: EndpointObservation): string {
  return proxy === null ? `at ${address}` : `through the proxy ${proxy}`;
}

/** Returns the text of a failure or a peer, shortened for the end of a claim. */
export function saidBriefly(text: string): string {
  return visibleText(text, MAX_CLAIMED);
}

/** Adds the addresses that work to a finding about another address. */
export function withClean<F extends Finding>(finding: F, fine: readonly string[]): F {
  const others = fine.filter((address) => address !== finding.facts?.address);
  if (others.length === 0 || finding.suggests === null) return finding;
  return { ...finding, clean: others };
}

/**
 * Returns addresses that cannot be called working, because one of their stages failed or was not tried.
 *
 * @param findings of all stages
 */
export function uncleanAddresses(
  endpoints: readonly EndpointObservation[],
  findings: readonly Finding[],
): readonly string[] {
  const found = findings.flatMap(({ level, facts }) => (level === 'note' ? [] : (facts?.address ?? [])));
  const untried = endpoints.filter(({ tls, http }) => tls === null || http === null).map(({ address }) => address);
  return [...new Set([...found, ...untried])];
}

/** Removes addresses that are not clean. One working stage proves nothing about the whole address. */
export function withoutUnclean(finding: Finding, unclean: readonly string[]): Finding {
  const { clean, ...others } = finding;
  return clean === undefined
    ? finding
    : withClean(
        others,
        clean.filter((address) => !unclean.includes(address)),
      );
}
