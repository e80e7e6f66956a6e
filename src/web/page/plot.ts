import type { EpochMs } from '../../core/clock.ts';
import type { ChartIncident } from '../chart-data.ts';
import { type Markup, markup } from './markup.ts';

/** The plane of a chart: both ends of the time, the lowest and the highest value. */
export interface Plane {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly bottom: number;
  readonly top: number;
}

interface Point {
  readonly at: EpochMs;
  readonly value: number;
}

/** The drawing is stretched to whatever room there is. */
const WIDTH = 600;
const HEIGHT = 100;

/** Points further apart than this share of the time are not joined: nothing was seen in between. */
const MAX_GAP = 1 / 24;

export function drawing(paths: readonly Markup[], description: string): Markup {
  return markup`<svg role="img" aria-label="${description}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"><path class="base" d="M0 ${HEIGHT}H${WIDTH}"/>${paths}</svg>`;
}

export function line(points: readonly Point[], plane: Plane, index: number): Markup {
  const segments = points.map(({ at, value }, position): string => {
    const x = across(at, plane);
    const previous = points[position - 1];
    const joins = previous !== undefined && at - previous.at <= (plane.until - plane.from) * MAX_GAP;
    // A point by itself is drawn too: a stroke without length has round ends.
    return `${joins ? 'L' : 'M'}${figure(x)} ${figure(up(value, plane))}${joins ? '' : 'h0'}`;
  });
  return markup`<path class="line series-${index}" d="${segments}"/>`;
}

/** @param span how long each bar lasts */
export function bars(
  points: readonly Point[],
  plane: Plane,
  { index, span }: { readonly index: number; readonly span: number },
): Markup {
  const width = Math.max(1, across(plane.from + span, plane) - 0.8);
  const segments = points.map(({ at, value }) => {
    const height = HEIGHT - up(value, plane);
    return `M${figure(across(at, plane))} ${String(HEIGHT)}v${figure(-height)}h${figure(width)}v${figure(height)}z`;
  });
  return markup`<path class="bar series-${index}" d="${segments}"/>`;
}

/** When something was wrong, behind the lines. */
export function marks(incidents: readonly ChartIncident[], plane: Plane): Markup {
  const segments = incidents.map(({ from, until }) => {
    const begin = Math.max(0, across(from, plane));
    const end = Math.min(WIDTH, across(until ?? plane.until, plane));
    return `M${figure(begin)} 0h${figure(Math.max(NARROWEST, end - begin))}v${String(HEIGHT)}H${figure(begin)}z`;
  });
  return markup`<path class="mark" d="${segments}"/>`;
}

/** Still to be seen. */
const NARROWEST = 1.5;

function across(at: EpochMs, { from, until }: Plane): number {
  return ((at - from) / (until - from)) * WIDTH;
}

function up(value: number, { bottom, top }: Plane): number {
  return HEIGHT - Math.min(1, Math.max(0, value - bottom) / (top - bottom)) * HEIGHT * 0.96;
}

function figure(value: number): string {
  return String(Math.round(value * 10) / 10);
}
