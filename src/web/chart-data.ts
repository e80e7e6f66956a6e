import type { Severity } from '../core/severity.ts';
import type { EpochMs, Millis } from '../core/clock.ts';

/** How far back the charts reach, all the same. */
export const CHART_RANGES = ['24h', '7d', '30d', '90d'] as const;

export type ChartRange = (typeof CHART_RANGES)[number];

export const USUAL_RANGE: ChartRange = '7d';

export function isChartRange(text: string): text is ChartRange {
  return CHART_RANGES.some((range) => range === text);
}

/** How long the past is cut up for the charts of a range. */
export interface ChartWindow {
  readonly back: Millis;
  /** Means of the latency. */
  readonly latency: Millis;
  /** Availability and errors. */
  readonly span: Millis;
}

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

export const CHART_WINDOWS: Readonly<Record<ChartRange, ChartWindow>> = {
  '24h': { back: DAY, latency: HOUR / 6, span: HOUR },
  '7d': { back: 7 * DAY, latency: HOUR, span: HOUR },
  '30d': { back: 30 * DAY, latency: 6 * HOUR, span: DAY },
  '90d': { back: 90 * DAY, latency: 12 * HOUR, span: DAY },
};

/** What the charts show: the object of `/api/v1/history`. */
export interface ChartData {
  readonly until: EpochMs;
  /**
   * By phase of the connection to the licence server, in milliseconds: means over 10 minutes of the last 24 hours, or
   * as `CHART_WINDOWS` has it.
   */
  readonly latency: readonly ChartLine[];
  /** By appliance, errors in its log: hours of the last 7 days, or spans of the range; one without any has no point. */
  readonly errors: readonly ChartLine[];
  /** By appliance, tokens left to assign: hours of the last 90 days, or of the range. */
  readonly tokens: readonly ChartLine[];
  /** Of the last 90 days (UTC), those on which something was watched; of a range, its days or hours. */
  readonly days: readonly { readonly day: EpochMs /** 0 to 1 */; readonly share: number }[];
}

/** The same of one range, with what was wrong in it. */
export interface RangeData extends ChartData {
  readonly range: ChartRange;
  readonly from: EpochMs;
  /** Latest first. */
  readonly incidents: readonly ChartIncident[];
}

export interface ChartIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly from: EpochMs;
  /** null: it is open. */
  readonly until: EpochMs | null;
  /** How long it was there, in words: `about 51 s`; null: it is open. */
  readonly lasted: string | null;
}

export interface ChartLine {
  readonly name: string;
  /** Oldest first. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}
