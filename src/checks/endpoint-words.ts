import type { EndpointObservation } from '../core/observation.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Finding } from '../engine/model.ts';

const MAX_CLAIMED = 100;

export function placeOf({ address, proxy }: EndpointObservation): string {
  return proxy === null ? `at ${address}` : `through the proxy ${proxy}`;
}

/** Shortens an error message or a peer's text so that it fits at the end of a claim. */
export function shortened(text: string): string {
  return visibleText(text, MAX_CLAIMED);
}

export function withClean<F extends Finding>(finding: F, fine: readonly string[]): F {
  const others = fine.filter((address) => address !== finding.facts?.address);
  if (others.length === 0 || finding.suggests === null) return finding;
  return { ...finding, clean: others };
}
