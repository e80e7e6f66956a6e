import type { EpochMs, Millis } from '../../core/clock.ts';
import { counted } from '../../text/counted.ts';
import type { ChartData, ChartLine } from '../chart-data.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { bars, drawing, line, type Plane } from './plot.ts';

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/** More lines than these cannot be told apart. */
const MOST_LINES = 6;

/** Of the colours of the lines, the one that looks well and the one that does not. */
const GOOD = 1;
const BAD = 4;

const PHASES: Readonly<Record<string, string>> = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'Answer' };

/** The past in four charts. They are drawn here; static/history.js puts in their place ones that can be pointed at. */
export function historyView(chartData: ChartData): Markup {
  return markup`<section class="card history" aria-labelledby="history-title"><h2 id="history-title">History</h2>
<div class="charts">${availability(chartData)}${latency(chartData)}${errors(chartData)}${tokens(chartData)}</div></section>`;
}

interface Chart {
  readonly id: string;
  readonly title: string;
  /** What it shows in a sentence: it stands for the drawing where that cannot be seen. */
  readonly summary: string;
  readonly plane: Plane;
  /** Of the highest value. */
  readonly unit: string;
  readonly paths: readonly Markup[];
  readonly names: readonly string[];
}

function chartView({ id, title, summary, plane, unit, paths, names }: Chart): Markup {
  return markup`<figure id="chart-${id}" data-chart="${id}" data-from="${plane.from}" data-until="${plane.until}"><figcaption><strong>${title}</strong><span class="quiet">${summary}</span></figcaption>
${
  paths.length === 0
    ? null
    : markup`<div class="plot"><span class="top">${plane.top} ${unit}</span>${drawing(
        paths,
        `${title}: ${summary}`,
      )}<span class="span"><span>${dayText(plane.from)}</span><span>${dayText(plane.until - 1)}</span></span></div>`
}${names.length < 2 ? null : legend(names, id === 'errors' ? BAD : 0)}</figure>`;
}

function legend(names: readonly string[], first: number): Content {
  return markup`<ul class="legend">${names.map(
    (name, index) => markup`<li class="series-${(index + first) % MOST_LINES}">${name}</li>`,
  )}</ul>`;
}

function availability({ days, until }: ChartData): Markup {
  const points = days.map(({ day, share }) => ({ at: day, value: share * 100 }));
  const plane = { from: dayOf(until) - 89 * DAY, until: dayOf(until) + DAY, top: 100 };
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const hurt = points.filter(({ value }) => value < 100).length;
  return chartView({
    id: 'availability',
    title: 'Availability by day',
    summary:
      points.length === 0
        ? NOTHING
        : `${shareText(mean)} over ${counted(points.length, 'day')}, ${counted(hurt, 'day')} with an outage`,
    plane,
    unit: '%',
    paths: points.length === 0 ? [] : [bars(points, plane, { index: GOOD, span: DAY })],
    names: ['Availability'],
  });
}

function latency({ latency: lines, until }: ChartData): Markup {
  const known = lines
    .filter(({ points }) => points.length > 0)
    .map((one) => ({ ...one, name: PHASES[one.name] ?? one.name }));
  const plane = { from: until - DAY, until, top: ceiling(highest(known)) };
  const last = known.map(({ name, points }) => `${name} ${msText(points.at(-1)?.value ?? 0)}`);
  return chartView({
    id: 'latency',
    title: 'Latency by phase',
    summary: known.length === 0 ? NOTHING : `${last.join(', ')} now; the last 24 hours`,
    plane,
    unit: 'ms',
    paths: known.map(({ points }, index) => line(points, plane, index)),
    names: known.map(({ name }) => name),
  });
}

function errors({ errors: lines, until }: ChartData): Markup {
  const shown = lines.slice(0, MOST_LINES);
  const plane = { from: until - 7 * DAY, until, top: ceiling(highest(shown)) };
  const total = shown.flatMap(({ points }) => points).reduce((sum, { value }) => sum + value, 0);
  return chartView({
    id: 'errors',
    title: 'FTM errors an hour',
    summary: total === 0 ? 'None in the last 7 days' : `${String(total)} in the last 7 days`,
    plane,
    unit: 'an hour',
    paths: shown.map(({ points }, index) => bars(points, plane, { index: (index + BAD) % MOST_LINES, span: HOUR })),
    names: shown.map(({ name }) => name),
  });
}

function tokens({ tokens: lines, until }: ChartData): Markup {
  const shown = lines.slice(0, MOST_LINES);
  const plane = { from: until - 90 * DAY, until, top: ceiling(highest(shown)) };
  const left = shown.map(({ name, points }) => `${String(points.at(-1)?.value ?? 0)} at ${name}`);
  return chartView({
    id: 'tokens',
    title: 'Tokens left',
    summary: shown.length === 0 ? NOTHING : `${left.join(', ')} now; the last 90 days`,
    plane,
    unit: 'tokens',
    paths: shown.map(({ points }, index) => line(lastOfEach(points, 6 * HOUR), plane, index)),
    names: shown.map(({ name }) => name),
  });
}

const NOTHING = 'Nothing is known yet';

/** The drawing has no room for each hour of 90 days. */
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

function dayOf(at: EpochMs): EpochMs {
  return Math.floor(at / DAY) * DAY;
}

function dayText(at: EpochMs): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Never 100 % while anything was missing. */
function shareText(percent: number): string {
  return `${(percent === 100 ? 100 : Math.floor(percent * 100) / 100).toString()} %`;
}

function msText(ms: Millis): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
