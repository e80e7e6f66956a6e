import type { EpochMs, Millis } from '../../core/clock.ts';
import { counted } from '../../core/counted.ts';
import type { Zone } from '../../core/zoned-text.ts';
import { CHART_RANGES, CHART_WINDOWS, type ChartLine, type ChartRange, type RangeData } from '../chart-data.ts';
import { historyIncidents } from './history-incidents.ts';
import { historyTable } from './history-table.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { msText, PHASES, shareText } from './history-words.ts';
import { bars, drawing, line, marks, type Plane } from './plot.ts';
import type { Reader } from './time-text.ts';

const HOUR: Millis = 3_600_000;

/** More lines than these cannot be told apart. */
const MOST_LINES = 6;

/** Of the colours of the lines, the one that looks well and the one that does not. */
const GOOD = 1;
const BAD = 4;

const RANGE_WORDS: Readonly<Record<ChartRange, string>> = {
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

/** The past in four charts. They are drawn here; static/history.js puts in their place ones that can be pointed at. */
export function historyView(data: RangeData, { zone }: Reader): Markup {
  return markup`<section id="history" class="card history" data-range="${data.range}" data-timezone="${zone.name}" aria-labelledby="history-title"><h2 id="history-title">History</h2>
<nav class="ranges" aria-label="Time of the charts">${CHART_RANGES.map(
    (range) =>
      markup`<a href="?range=${range}#history"${range === data.range ? markup` aria-current="true"` : null}>${RANGE_WORDS[range]}</a> `,
  )}</nav>
<div class="charts">${[availability(data, zone), latency(data), errors(data), tokens(data)].map((chart) => chartView(chart, data, zone))}</div>
${historyIncidents(data, zone)}${historyTable(data, zone)}</section>`;
}

interface Chart {
  readonly id: string;
  readonly title: string;
  /** What it shows in a sentence: it stands for the drawing where that cannot be seen. */
  readonly summary: string;
  readonly plane: Plane;
  readonly unit: string;
  readonly paths: readonly Markup[];
  readonly names: readonly string[];
}

function chartView({ id, title, summary, plane, unit, paths, names }: Chart, data: RangeData, zone: Zone): Markup {
  const { from, until, bottom, top } = plane;
  return markup`<figure id="chart-${id}" data-chart="${id}" data-from="${from}" data-until="${until}" data-bottom="${bottom}"><figcaption><strong>${title}</strong><span class="quiet">${summary}</span></figcaption>
${
  paths.length === 0
    ? null
    : markup`<div class="plot"><span class="top">${bottom} to ${top} ${unit}</span>${drawing(
        [marks(data.incidents, plane), ...paths],
        `${title}: ${summary}`,
      )}<span class="span"><span>${instantText(from, data, zone)}</span><span>${instantText(until, data, zone)}</span></span></div>`
}${names.length < 2 ? null : legend(names, id === 'errors' ? BAD : 0)}</figure>`;
}

function legend(names: readonly string[], first: number): Content {
  return markup`<ul class="legend">${names.map(
    (name, index) => markup`<li class="series-${(index + first) % MOST_LINES}">${name}</li>`,
  )}</ul>`;
}

function availability(data: RangeData, zone: Zone): Chart {
  const { span } = CHART_WINDOWS[data.range];
  const each = span === HOUR ? 'hour' : 'day';
  const points = data.days.map(({ day, share }) => ({ at: day, value: share * 100 }));
  const least = points.reduce((lowest, { value }) => Math.min(lowest, value), 100);
  const plane = planeOf(data, { bottom: floorBelow(least), top: 100 });
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const hurt = points.filter(({ value }) => value < 100);
  return {
    id: 'availability',
    // The days are those of UTC.
    title: `Availability by ${each}${each === 'day' && zone.name !== 'UTC' ? ' (UTC)' : ''}`,
    summary:
      points.length === 0
        ? NOTHING
        : `${shareText(mean)} over ${counted(points.length, each)}, ${counted(hurt.length, each)} with an outage`,
    plane,
    unit: '%',
    paths:
      points.length === 0
        ? []
        : [
            // Behind what was available stands all that could have been: the outage is what is left of it.
            bars(
              hurt.map(({ at }) => ({ at, value: 100 })),
              plane,
              { index: BAD, span },
            ),
            bars(points, plane, { index: GOOD, span }),
          ],
    names: ['Availability'],
  };
}

/** Where the scale begins: so that an hour of a day is seen, and the lowest bar still has a height. */
function floorBelow(least: number): number {
  if (least === 100) return 0;
  return [99, 95, 90, 80, 50].find((floor) => least >= floor + (100 - floor) / 5) ?? 0;
}

function latency(data: RangeData): Chart {
  const known = data.latency
    .filter(({ points }) => points.length > 0)
    .map((one) => ({ ...one, name: PHASES[one.name] ?? one.name }));
  const plane = planeOf(data, { bottom: 0, top: ceiling(highest(known)) });
  const last = known.map(({ name, points }) => `${name} ${msText(points.at(-1)?.value ?? 0)}`);
  return {
    id: 'latency',
    title: 'Latency by phase',
    summary: known.length === 0 ? NOTHING : `${last.join(', ')} now; the last ${RANGE_WORDS[data.range]}`,
    plane,
    unit: 'ms',
    paths: known.map(({ points }, index) => line(points, plane, index)),
    names: known.map(({ name }) => name),
  };
}

function errors(data: RangeData): Chart {
  const { span } = CHART_WINDOWS[data.range];
  const each = span === HOUR ? 'an hour' : 'a day';
  const shown = data.errors.slice(0, MOST_LINES);
  const plane = planeOf(data, { bottom: 0, top: ceiling(highest(shown)) });
  const total = shown.flatMap(({ points }) => points).reduce((sum, { value }) => sum + value, 0);
  const words = RANGE_WORDS[data.range];
  return {
    id: 'errors',
    title: `FTM errors ${each}`,
    summary: total === 0 ? `None in the last ${words}` : `${String(total)} in the last ${words}`,
    plane,
    unit: each,
    paths: shown.map(({ points }, index) => bars(points, plane, { index: (index + BAD) % MOST_LINES, span })),
    names: shown.map(({ name }) => name),
  };
}

function tokens(data: RangeData): Chart {
  const shown = data.tokens.slice(0, MOST_LINES);
  const plane = planeOf(data, { bottom: 0, top: ceiling(highest(shown)) });
  // Hours of up to a week; the drawing has no room for each hour of 90 days.
  const step = Math.min(CHART_WINDOWS[data.range].span, 6 * HOUR);
  const left = shown.map(({ name, points }) => `${String(points.at(-1)?.value ?? 0)} at ${name}`);
  return {
    id: 'tokens',
    title: 'Tokens left',
    summary: shown.length === 0 ? NOTHING : `${left.join(', ')} now; the last ${RANGE_WORDS[data.range]}`,
    plane,
    unit: 'tokens',
    paths: shown.map(({ points }, index) => line(lastOfEach(points, step), plane, index)),
    names: shown.map(({ name }) => name),
  };
}

const NOTHING = 'Nothing is known yet';

/** The last span ends after now. */
function planeOf({ from, range }: RangeData, scale: Pick<Plane, 'bottom' | 'top'>): Plane {
  return { from, until: from + CHART_WINDOWS[range].back, ...scale };
}

function lastOfEach(points: ChartLine['points'], span: Millis): ChartLine['points'] {
  return points.filter(
    ({ at }, index) => Math.floor(at / span) !== Math.floor((points[index + 1]?.at ?? Infinity) / span),
  );
}

function highest(lines: readonly ChartLine[]): number {
  return lines.flatMap(({ points }) => points).reduce((most, { value }) => Math.max(most, value), 0);
}

/** The next round number: 1, 2 or 5 with zeros. */
function ceiling(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

/** The time on a chart of a day, otherwise the day. */
function instantText(at: EpochMs, { range }: RangeData, zone: Zone): string {
  const text = zone.local(at);
  return range === '24h' ? text.slice(11, 16) : text.slice(0, 10);
}
