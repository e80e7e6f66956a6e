import type { EpochMs, Millis } from '../../core/clock.ts';
import { chartsOf } from '../static/charts.js';
import { spanText, type Zone } from '../../core/time-text.ts';
import { CHART_RANGES, CHART_WINDOWS, type ChartLine, type ChartRange, type RangeData } from '../sources.ts';
import type { Reader } from './page-document.ts';
import { type Markup, markup, subjectView } from '../../document/html.ts';

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

const RANGE_WORDS: Readonly<Record<ChartRange, string>> = {
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

/** @param days shown first, unless they are elsewhere on the page */
export function historyView(data: RangeData, { zone }: Reader, days: Markup | null): Markup {
  const { back, span } = CHART_WINDOWS[data.range];
  // The last bar covers a period that has not ended yet.
  const until = data.from + back;
  const charts = chartsOf(data, { until, span });
  const axis = markup`data-range="${data.range}" data-until="${until}" data-span="${span}"`;
  const ranges = CHART_RANGES.map((range) => {
    const current = range === data.range ? markup` aria-current="true"` : null;
    return markup`<a href="?range=${range}#history"${current}>${RANGE_WORDS[range]}</a> `;
  });
  return markup`<section id="history" class="card history" aria-labelledby="history-title" ${axis}>
<h2 id="history-title">History</h2>${days}
<nav id="ranges" class="ranges" aria-label="Period of the charts">${ranges}</nav>
<div id="charts" class="charts">${charts.map((chart) => chartView(chart, data))}</div>
${historyIncidents(data, zone)}${historyTable(data, zone)}</section>`;
}

type Chart = ReturnType<typeof chartsOf>[number];

/** static/history.js draws the chart. The summary and the table contain the values for readers without JavaScript. */
function chartView(chart: Chart, data: RangeData): Markup {
  const { id, lines } = chart;
  const { title, summary } = wordsOf(chart, data.range);
  const isKnown = id === 'errors' ? lines.length > 0 : lines.some(({ points }) => points.length > 0);
  const legend = lines.map(({ name, colour }) => markup`<li class="series-${colour}">${name}</li>`);
  return markup`<figure id="chart-${id}">
<figcaption><strong>${title}</strong><span class="quiet">${summary}</span></figcaption>
${isKnown ? markup`<div class="plot"></div>` : null}${
  lines.length < 2 ? null : markup`<ul class="legend">${legend}</ul>`
}</figure>`;
}

interface ChartWords {
  readonly title: string;
  readonly summary: string;
}

function wordsOf({ id, lines }: Chart, range: ChartRange): ChartWords {
  const drawn = lines.filter(({ points }) => points.length > 0);
  const each = CHART_WINDOWS[range].span === HOUR ? 'hour' : 'day';
  const latest = (text: (value: number, name: string) => string): string =>
    drawn.length === 0
      ? NOTHING
      : `${drawn.map(({ name, points }) => text(points.at(-1)?.value ?? 0, name)).join(', ')} now; ` +
        `the last ${RANGE_WORDS[range]}`;
  const values = drawn.flatMap(({ points }) => points.map(({ value }) => value));
  switch (id) {
    case 'latency':
      return { title: 'Latency by phase', summary: latest((value, name) => `${name} ${msText(value)}`) };
    case 'errors': {
      const total = sum(values);
      const summary = `${total === 0 ? 'None' : String(total)} in the last ${RANGE_WORDS[range]}`;
      return { title: `FTM errors ${each === 'hour' ? 'an hour' : 'a day'}`, summary };
    }
    case 'tokens':
      return { title: 'Tokens left', summary: latest((value, name) => `${String(value)} at ${name}`) };
  }
}

const NOTHING = 'No data yet';

const MOST_SHOWN = 12;

/** The marks in the charts may be too narrow to click. */
function historyIncidents({ incidents, from, range }: RangeData, zone: Zone): Markup {
  const day = zone.local(from).slice(0, 10);
  const days = CHART_WINDOWS[range].back / DAY;
  return markup`<div id="period"><h3>Incidents in this period</h3>${
    incidents.length === 0
      ? markup`<p class="quiet">None.</p>`
      : markup`<ul class="marked">${incidents
          .slice(0, MOST_SHOWN)
          .map(({ id, cause, subject, from: since, lasted }) => {
            const when = `${zone.text(since)}, ${lasted === null ? 'open' : `for ${lasted}`}`;
            return markup`<li><a href="incidents/${encodeURIComponent(id)}">${cause}</a> ${subjectView(subject)}
<span class="quiet">${when}</span></li>`;
          })}</ul>`
  }${
    incidents.length <= MOST_SHOWN
      ? null
      : markup`<p><a href="incidents?from=${day}">All incidents of the last ${days} days</a></p>`
  }</div>`;
}

/** Time span of each table row, long enough to keep the table short for people who use screen readers. */
const ROW_SPANS: Readonly<Record<ChartRange, Millis>> = { '24h': 2 * HOUR, '7d': DAY, '30d': 2 * DAY, '90d': 7 * DAY };

type Point = ChartLine['points'][number];

function historyTable(data: RangeData, zone: Zone): Markup {
  const span = ROW_SPANS[data.range];
  const count = Math.ceil(CHART_WINDOWS[data.range].back / span);
  const begins = Array.from({ length: count }, (_, index) => data.from + index * span);
  const phases = data.latency.filter(({ points }) => points.length > 0);
  const names = phases.map(({ name }) => markup`<th scope="col">${name.toUpperCase()}</th>`);
  const rows = begins.map((from) =>
    rowView({ from, until: from + span, name: zone.local(from).slice(0, 16) }, phases, data),
  );
  return markup`<details id="history-table"><summary>The charts as a table</summary>
<div class="scroll" tabindex="0" role="group" aria-label="The charts as a table"><table>
<thead><tr><th scope="col">From (${zone.name})</th><th scope="col">Availability</th>
<th scope="col">Known time</th>${names}
<th scope="col">FTM errors</th><th scope="col">Fewest tokens left</th></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
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
  const days = data.days.filter(({ day }) => within({ at: day }));
  const tokens = of(data.tokens);
  const cells = [
    cell(days, (all) => shareText(shareOf(all) * 100)),
    cell(days, (all) => spanText(knownTime(all))),
    ...phases.map((phase) => cell(of([phase]), (all) => msText(sum(all) / all.length))),
    markup`<td>${sum(of(data.errors))}</td>`,
    cell(tokens, (all) => String(Math.min(...all))),
  ];
  return markup`<tr><th scope="row">${row.name}</th>${cells}</tr>`;
}

function knownTime(days: RangeData['days']): Millis {
  return sum(days.map(({ knownMs }) => knownMs));
}

/** From 0 to 1. */
function shareOf(days: RangeData['days']): number {
  return sum(days.map(({ share, knownMs }) => share * knownMs)) / knownTime(days);
}

function cell<T>(values: readonly T[], text: (values: readonly T[]) => string): Markup {
  return markup`<td>${values.length === 0 ? 'unknown' : text(values)}</td>`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Values are rounded down, so that only an availability without any outage is shown as 100 %. */
export function shareText(percent: number): string {
  return `${(percent === 100 ? 100 : Math.floor(percent * 100) / 100).toString()} %`;
}

function msText(ms: Millis): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
