import type { EpochMs } from '../core/clock.ts';

/** What the charts show: the object of `/api/v1/history`. */
export interface ChartData {
  readonly until: EpochMs;
  /** By phase of the connection to the licence server, in milliseconds: means over 10 minutes of the last 24 hours. */
  readonly latency: readonly ChartLine[];
  /** By appliance, errors in its log: hours of the last 7 days; an hour without any has no point. */
  readonly errors: readonly ChartLine[];
  /** By appliance, tokens left to assign: hours of the last 90 days. */
  readonly tokens: readonly ChartLine[];
  /** Of the last 90 days (UTC), those on which something was watched. */
  readonly days: readonly { readonly day: EpochMs /** 0 to 1 */; readonly share: number }[];
}

export interface ChartLine {
  readonly name: string;
  /** Oldest first. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}
