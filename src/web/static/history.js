// Draws the charts once they are scrolled into view. Nothing is loaded before that.
import { chartsOf, columns } from './charts.js';

/**
 * @import { Chart, Past } from './charts.js'
 * @typedef {Past & { readonly incidents: readonly { readonly from: number, readonly until: number | null }[] }} RangeData
 */

const REFRESH_MS = 60_000;
const HEIGHT = 180;
const DAY_MS = 86_400_000;
/** By colour index, so that lines can be told apart without colours. The legend shows the same in style.css. */
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 5], [16, 4]];

/**
 * The parts of uPlot that this script uses.
 * @typedef {{ setData(data: unknown): void, setSize(size: unknown): void, destroy(): void,
 *   valToPos(value: number, scale: string, canvas: boolean): number, readonly series: readonly unknown[],
 *   readonly ctx: CanvasRenderingContext2D, readonly cursor: { readonly idx?: number | null },
 *   readonly bbox: { readonly left: number, readonly top: number, readonly width: number, readonly height: number }
 * }} Plotted
 * @typedef {{ new (options: unknown, data: unknown, at: Element): Plotted, tzDate(date: Date, zone: string): Date,
 *   readonly paths: { bars(options: unknown): unknown } }} ChartLibrary
 * @typedef {{ readonly chart: Plotted, readonly plot: Element, readonly reading: Element }} Drawn
 */

/** @type {Map<string, Drawn>} */
const drawn = new Map();

/** The latest data and charts, so that a new width, colour scheme or time zone does not require a new request. */
const fetched = {
  /** @type {RangeData | null} */ data: null,
  /** @type {readonly Chart[]} */ charts: [],
  timezone: 'UTC',
};

/**
 * Returns uPlot, which is loaded as a plain script and adds its class to `window`.
 * @returns {ChartLibrary}
 */
function library() {
  /** @type {unknown} */
  const found = Reflect.get(globalThis, 'uPlot');
  if (isLibrary(found)) return found;
  throw new TypeError('Cannot draw charts: uPlot is not loaded');
}

/**
 * @param {unknown} value
 * @returns {value is ChartLibrary}
 */
function isLibrary(value) {
  return typeof value === 'function' && 'tzDate' in value && 'paths' in value;
}

/**
 * @param {unknown} value
 * @returns {value is RangeData}
 */
function isChartData(value) {
  return typeof value === 'object' && value !== null && 'latency' in value && 'incidents' in value;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @returns {Promise<void>}
 */
function load(tag, attributes) {
  return new Promise((resolve, reject) => {
    const element = document.createElement(tag);
    element.addEventListener('load', () => {
      resolve();
    });
    element.addEventListener('error', () => {
      reject(new Error(`Cannot load ${JSON.stringify(attributes)}`));
    });
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    document.head.append(element);
  });
}

/** Reads a number that the server adds to each page. @param {'until' | 'span'} name */
function numberOf(name) {
  return Number(document.getElementById('history')?.dataset[name]);
}

/** Returns the site's time zone, which the server adds to each page. */
function timezone() {
  return document.querySelector('main')?.dataset['timezone'] ?? 'UTC';
}

/**
 * Formats a time in the site's time zone, regardless of the browser's.
 * @param {number} at
 * @returns {{ readonly local: string, readonly offset: string }} `2026-11-24 14:00` and `+01:00`
 */
function timeIn(at) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone(),
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'longOffset',
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (/** @type {Intl.DateTimeFormatPartTypes} */ type) => parts.get(type) ?? '';
  return {
    local: `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}`,
    offset: timezone() === 'UTC' ? 'UTC' : part('timeZoneName').replace(/^GMT/u, '') || '+00:00',
  };
}

/**
 * @param {Chart} chart
 * @param {number} at
 * @returns {string} the time of day on a one-day chart, otherwise the date
 */
function tickText({ from, until }, at) {
  const { local } = timeIn(at);
  return until - from > 2 * DAY_MS ? local.slice(5, 10) : local.slice(11, 16);
}

/** @param {string} name */
function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * @param {Chart} chart the chart as it is first drawn; its scales are updated with the latest data
 * @param {number} width
 */
function optionsOf(chart, width) {
  const { id, unit, span, lines } = chart;
  const now = () => fetched.charts.find((one) => one.id === id) ?? chart;
  const uplot = library();
  const axis = {
    stroke: colourOf('--quiet'),
    grid: { stroke: colourOf('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const time = {
    ...axis,
    size: 28,
    values: (/** @type {Plotted} */ _plotted, /** @type {readonly number[]} */ at) =>
      at.map((one) => tickText(now(), one * 1_000)),
  };
  return {
    width,
    height: HEIGHT,
    tzDate: (/** @type {number} */ seconds) => uplot.tzDate(new Date(seconds * 1_000), timezone()),
    legend: { show: false },
    cursor: { points: { size: 6 }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [now().from / 1_000, now().until / 1_000] },
      y: { range: () => [0, now().top] },
    },
    axes: [time, { ...axis, size: 48, label: unit, labelSize: 18, labelFont: '12px system-ui, sans-serif' }],
    hooks: {
      drawClear: [drawMarks],
      setCursor: [(/** @type {Plotted} */ plotted) => read(id, plotted.cursor.idx ?? null)],
    },
    series: [
      {},
      ...lines.map(({ name, colour: index }) => {
        const colour = colourOf(`--series-${String(index)}`);
        const bars = { fill: colour, width: 0, paths: uplot.paths.bars({ size: [0.8, 40] }) };
        const line = { width: 1.5, dash: DASHES[index] ?? [] };
        return { label: name, stroke: colour, points: { show: false }, ...(span === null ? line : bars) };
      }),
    ],
  };
}

/**
 * Draws marks for the incidents behind the lines.
 * @param {Plotted} chart
 */
function drawMarks(chart) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = colourOf('--mark');
  for (const { from, until } of fetched.data?.incidents ?? []) {
    const begin = Math.max(bbox.left, chart.valToPos(from / 1_000, 'x', true));
    const end = Math.min(bbox.left + bbox.width, until === null ? Infinity : chart.valToPos(until / 1_000, 'x', true));
    ctx.fillRect(begin, bbox.top, Math.max(2, end - begin), bbox.height);
  }
  ctx.restore();
}

/**
 * Shows the values under the pointer, or the latest values.
 * @param {string} id
 * @param {number | null} index
 */
function read(id, index) {
  const reading = drawn.get(id)?.reading;
  const chart = fetched.charts.find((one) => one.id === id);
  if (reading === undefined || chart === undefined) return;
  const { lines, unit } = chart;
  const [times = [], ...values] = columns(chart);
  const place = index ?? times.length - 1;
  const parts = lines.flatMap(({ name }, line) => {
    const value = values[line]?.[place] ?? null;
    return value === null ? [] : [`${name} ${String(Math.round(value * 100) / 100)} ${unit}`];
  });
  const at = times[place] ?? null;
  if (at === null) {
    reading.textContent = '';
    return;
  }
  const { local, offset } = timeIn(at * 1_000);
  reading.textContent = `${local} ${offset}: ${parts.join(', ')}`;
}

/** @param {RangeData} data */
function draw(data) {
  fetched.data = data;
  fetched.charts = chartsOf(data, { until: numberOf('until'), span: numberOf('span') });
  fetched.timezone = timezone();
  for (const chart of fetched.charts) {
    const plot = document.querySelector(`#chart-${chart.id} .plot`);
    if (plot === null || chart.lines.every(({ points }) => points.length === 0)) continue;
    const before = drawn.get(chart.id);
    if (before?.plot === plot && before.chart.series.length === chart.lines.length + 1) {
      before.chart.setData(columns(chart));
    } else {
      before?.chart.destroy();
      drawAnew(chart, plot);
    }
    read(chart.id, null);
  }
}

/**
 * @param {Chart} chart
 * @param {Element} plot
 */
function drawAnew(chart, plot) {
  const width = plot.clientWidth;
  const reading = document.createElement('p');
  reading.className = 'reading';
  plot.replaceChildren();
  plot.classList.add('drawn');
  const Plotter = library();
  const plotted = new Plotter(optionsOf(chart, width), columns(chart), plot);
  plot.append(reading);
  drawn.set(chart.id, { chart: plotted, plot, reading });
  widths.observe(plot);
}

/** Resizes the charts to a new width. A change of the height, for example by a phone's address bar, is ignored. */
const widths = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    for (const { chart, plot } of drawn.values()) {
      if (plot === target && contentRect.width > 0) chart.setSize({ width: contentRect.width, height: HEIGHT });
    }
  }
});

async function refresh() {
  const range = document.getElementById('history')?.dataset['range'] ?? '';
  const response = await fetch(`api/v1/history?range=${range}`, { cache: 'no-store' });
  /** @type {unknown} */
  const data = await response.json();
  if (isChartData(data)) draw(data);
}

/** If the request fails, the charts keep the data that they show. */
function refreshOrKeep() {
  void refresh().catch(() => undefined);
}

/** Redraws the charts in a new colour scheme or time zone. */
function redraw() {
  for (const { chart } of drawn.values()) chart.destroy();
  drawn.clear();
  if (fetched.data !== null) draw(fetched.data);
}

async function start() {
  await Promise.all([
    load('script', { src: 'static/uplot.js' }),
    load('link', { rel: 'stylesheet', href: 'static/uplot.css' }),
  ]);
  await refresh();
  setInterval(refreshOrKeep, REFRESH_MS);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

/** Prevents the charts from being loaded twice if a round replaces the page in the meantime. */
const visit = { started: false };

const observer = new IntersectionObserver((entries) => {
  if (visit.started || !entries.some(({ isIntersecting }) => isIntersecting)) return;
  observer.disconnect();
  visit.started = true;
  void start().catch(() => {
    visit.started = false;
    for (const plot of undrawn()) plot.textContent = 'This chart could not be loaded. The table contains its values.';
  });
});

/** @returns {NodeListOf<Element>} */
function undrawn() {
  return document.querySelectorAll('.history .plot:not(.drawn)');
}

/** Called again after a round, which may replace the history section. */
function watchForVisitors() {
  const section = document.querySelector('.history');
  if (section !== null) observer.observe(section);
}

watchForVisitors();
document.addEventListener('shown', () => {
  if (!visit.started) watchForVisitors();
  else if (fetched.data !== null && fetched.timezone !== timezone()) redraw();
  // A round can bring the first data of a chart.
  else if (fetched.data !== null && undrawn().length > 0) refreshOrKeep();
});
