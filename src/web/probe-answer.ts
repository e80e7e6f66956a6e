import type { Millis } from '../core/clock.ts';
import type { MetricsText } from './metrics-text.ts';

/** What `/probe` can look at. */
export type ProbeModule = 'dns' | 'tcp' | 'tls' | 'http' | 'smtp';

export const PROBE_MODULES: readonly ProbeModule[] = ['dns', 'tcp', 'tls', 'http', 'smtp'];

/** A target that can be asked for, and how. */
export interface DiscoveredProbe {
  readonly module: ProbeModule;
  readonly target: string;
}

export interface ProbeRequest {
  /** As asked for: `HOST` or `HOST:PORT`. */
  readonly target: string;
  readonly module: ProbeModule;
  /** null: the client does not say how long it waits. */
  readonly timeout: Millis | null;
}

export type ProbeAnswer =
  | {
      readonly kind: 'probed';
      readonly metrics: MetricsText;
      /** What was seen and what it means, a line each: may hold text from the network, made safe to show. */
      readonly explanation: readonly string[];
    }
  /** Something on this side was in the way, which says nothing about the target. */
  | { readonly kind: 'hindered'; readonly problem: string }
  /** It cannot be looked at like this: what was expected. */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The configuration does not allow it: what to configure. */
  | { readonly kind: 'forbidden'; readonly problem: string }
  /** Too many wait already. */
  | { readonly kind: 'busy' };
