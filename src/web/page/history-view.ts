import type { EpochMs, Millis } from '../../core/clock.ts';
import { counted } from '../../core/phrases.ts';
import type { Zone } from '../../core/time-text.ts';
import {
  CHART_RANGES,
  CHART_WINDOWS,
  type ChartLine,
  type ChartRange,
  type RangeData,
  type ChartIncident,
} from '../sources.ts';
import { type Reader } from './document.ts';
import { type Content, type Markup, markup, subjectView } from '../../document/html.ts';

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

const MOST_SHOWN = 12;

/** What the marks on the charts are, each with a link: a mark may be too narrow to be hit. */
function historyIncidents({ incidents, from, range }: RangeData, zone: Zone): Markup {
  const day = zone.local(from).slice(0, 10);
  return markup`<h3>Incidents in this time</h3>${
    incidents.length === 0
      ? markup`<p class="quiet">None.</p>`
      : markup`<ul class="marked">${incidents
          .slice(0, MOST_SHOWN)
          .map(
            ({ id, cause, subject, from: since, lasted }) =>
              markup`<li><a href="incidents/${encodeURIComponent(id)}">${cause}</a> ${subjectView(subject)} <span class="quiet">${zone.text(since)}, ${lasted === null ? 'open' : `for ${lasted}`}</span></li>`,
          )}</ul>`
  }${
    incidents.length <= MOST_SHOWN
      ? null
      : markup`<p><a href="incidents?from=${day}">All of the last ${CHART_WINDOWS[range].back / 86_400_000} days</a></p>`
  }`;
}

const DAY: Millis = 24 * HOUR;

/** What a row stands for: few enough to be read out. */
const ROW_SPANS: Readonly<Record<ChartRange, Millis>> = { '24h': 2 * HOUR, '7d': DAY, '30d': 2 * DAY, '90d': 7 * DAY };

type Point = ChartLine['points'][number];

/** The charts in figures, for who does not see them. */
function historyTable(data: RangeData, zone: Zone): Markup {
  const span = ROW_SPANS[data.range];
  const count = Math.ceil(CHART_WINDOWS[data.range].back / span);
  const begins = Array.from({ length: count }, (_, index) => data.from + index * span);
  const phases = data.latency.filter(({ points }) => points.length > 0);
  const names = phases.map(({ name }) => markup`<th scope="col">${PHASES[name] ?? name}</th>`);
  return markup`<details id="history-table"><summary>The charts as a table</summary><div class="scroll" tabindex="0" role="group" aria-label="The charts as a table"><table>
<thead><tr><th scope="col">From (${zone.name})</th><th scope="col">Lowest availability</th>${names}<th scope="col">FTM errors</th><th scope="col">Fewest tokens left</th></tr></thead>
<tbody>${begins.map((from) => rowView({ from, until: from + span, name: zone.local(from).slice(0, 16) }, phases, data))}</tbody></table></div></details>`;
}

interface Row {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly name: string;
}

function rowView(row: Row, phases: readonly ChartLine[], data: RangeData): Markup {
  const within = ({ at }: Pick<Point, 'at'>): boolean => at >= row.from && at < row.until;
  const of = (lines: readonly ChartLine[]): readonly number[] =>
    lines.flatMap(({ points }) => points.filter(within)).map(({ value }) => value);
  const shares = data.days.filter(({ day }) => within({ at: day })).map(({ share }) => share * 100);
  const tokens = of(data.tokens);
  return markup`<tr><th scope="row">${row.name}</th>${cell(shares, (all) =>
    shareText(Math.min(...all)),
  )}${phases.map((phase) => cell(of([phase]), (all) => msText(sum(all) / all.length)))}<td>${sum(of(data.errors))}</td>${cell(
    tokens,
    (all) => String(Math.min(...all)),
  )}</tr>`;
}

function cell(values: readonly number[], text: (values: readonly number[]) => string): Markup {
  return markup`<td>${values.length === 0 ? 'unknown' : text(values)}</td>`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The phases of a connection to the licence server, as people read them. */
const PHASES: Readonly<Record<string, string>> = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'Answer' };

/** Never 100 % while anything was missing. */
function shareText(percent: number): string {
  return `${(percent === 100 ? 100 : Math.floor(percent * 100) / 100).toString()} %`;
}

function msText(ms: Millis): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** The plane of a chart: both ends of the time, the lowest and the highest value. */
interface Plane {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly bottom: number;
  readonly top: number;
}

interface PlotPoint {
  readonly at: EpochMs;
  readonly value: number;
}

/** The drawing is stretched to whatever room there is. */
const WIDTH = 600;
const HEIGHT = 100;

/** Points further apart than this share of the time are not joined: nothing was seen in between. */
const MAX_GAP = 1 / 24;

function drawing(paths: readonly Markup[], description: string): Markup {
  return markup`<svg role="img" aria-label="${description}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"><path class="base" d="M0 ${HEIGHT}H${WIDTH}"/>${paths}</svg>`;
}

function line(points: readonly PlotPoint[], plane: Plane, index: number): Markup {
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
function bars(
  points: readonly PlotPoint[],
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
function marks(incidents: readonly ChartIncident[], plane: Plane): Markup {
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
