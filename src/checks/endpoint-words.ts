import type { EndpointObservation } from '../core/observation.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Finding } from '../engine/model.ts';

const MAX_CLAIMED = 100;

/** Returns the address or proxy of an observation, for use in a sentence. */
export function placeOf({ address, proxy }: EndpointObservation): string {
  return proxy === null ? `at ${address}` : `through the proxy ${proxy}`;
}

/** Shortens the text of a failure or from a peer, for use at the end of a claim. */
export function shortened(text: string): string {
  return visibleText(text, MAX_CLAIMED);
}

/** Adds the working addresses to a finding about another address. */
export function withClean<F extends Finding>(finding: F, fine: readonly string[]): F {
  const others = fine.filter((address) => address !== finding.facts?.address);
  if (others.length === 0 || finding.suggests === null) return finding;
  return { ...finding, clean: others };
}

/**
 * Returns addresses that are not proven to work, because a stage failed or was not tried.
 *
 * @param findings the findings from all stages
 */
export function uncleanAddresses(
  endpoints: readonly EndpointObservation[],
  findings: readonly Finding[],
): readonly string[] {
  const found = findings.flatMap(({ level, facts }) => (level === 'note' ? [] : (facts?.address ?? [])));
  const untried = endpoints.filter(({ tls, http }) => tls === null || http === null).map(({ address }) => address);
  return [...new Set([...found, ...untried])];
}

/** Removes addresses that are not clean, because one working stage does not prove that the whole address works. */
export function withoutUnclean(finding: Finding, unclean: readonly string[]): Finding {
  const { clean, ...others } = finding;
  return clean === undefined
    ? finding
    : withClean(
        others,
        clean.filter((address) => !unclean.includes(address)),
      );
}
