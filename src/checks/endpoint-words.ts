import type { EndpointObservation } from '../core/observation.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Finding } from '../engine/model.ts';

const MAX_CLAIMED = 100;

/** Where it was seen, in a sentence. */
export function placeOf({ address, proxy }: EndpointObservation): string {
  return proxy === null ? `at ${address}` : `through the proxy ${proxy}`;
}

/** What a failure or a peer said, at the end of a claim. */
export function saidBriefly(text: string): string {
  return visibleText(text, MAX_CLAIMED);
}

/** With those of the addresses that are fine; it is about another one. */
export function withClean<F extends Finding>(finding: F, fine: readonly string[]): F {
  const others = fine.filter((address) => address !== finding.facts?.address);
  if (others.length === 0 || finding.suggests === null) return finding;
  return { ...finding, clean: others };
}

/**
 * Addresses of which nobody can say that everything works there: something is wrong with one of the stages, or one of
 * them was not tried.
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

/** Without those of them that are not clean: that one stage worked there says nothing of them. */
export function withoutUnclean(finding: Finding, unclean: readonly string[]): Finding {
  const { clean, ...others } = finding;
  return clean === undefined
    ? finding
    : withClean(
        others,
        clean.filter((address) => !unclean.includes(address)),
      );
}
