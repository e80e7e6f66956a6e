// Replaces the drawings by charts that can be pointed at, once they are scrolled into view: nothing is loaded before.
import { CHARTS } from './chart-kinds.js';

/** @import { ChartData, Line } from './chart-kinds.js' */

const REFRESH_MS = 60_000;
const HEIGHT = 180;
const DAY_MS = 86_400_000;
const COLOURS = ['--series-0', '--series-1', '--series-2', '--series-3', '--series-4', '--series-5'];

/**
 * What is used of uPlot.
 * @typedef {{ setData(data: unknown): void, setSize(size: unknown): void, destroy(): void,
 *   valToPos(value: number, scale: string, canvas: boolean): number, readonly series: readonly unknown[],
 *   readonly ctx: CanvasRenderingContext2D, readonly cursor: { readonly idx?: number | null },
 *   readonly bbox: { readonly left: number, readonly top: number, readonly width: number, readonly height: number }
 * }} Chart
 * @typedef {{ new (options: unknown, data: unknown, at: Element): Chart, tzDate(date: Date, zone: string): Date,
 *   readonly paths: { bars(options: unknown): unknown } }} ChartLibrary
 * @typedef {{ readonly chart: Chart, readonly plot: Element, readonly reading: Element }} Drawn
 */

/** @type {Map<string, Drawn>} */
const drawn = new Map();

/** What was fetched last, and how it was drawn: a new width, other colours or another time zone need nothing new. */
const fetched = { /** @type {ChartData | null} */ data: null, timezone: 'UTC' };

/**
 * It comes as a plain script, and leaves its class in the window.
 * @returns {ChartLibrary}
 */
function library() {
  /** @type {unknown} */
  const found = Reflect.get(globalThis, 'uPlot');
  if (isLibrary(found)) return found;
  throw new TypeError('Cannot draw charts: uPlot is not there');
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
 * @returns {value is ChartData}
 */
function isChartData(value) {
  return typeof value === 'object' && value !== null && 'days' in value && 'incidents' in value;
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

/**
 * One column of times, then one of values for each line.
 * @param {readonly Line[]} lines
 */
function columns(lines) {
  const times = [...new Set(lines.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => a - b);
  return [
    times.map((at) => at / 1_000),
    ...lines.map(({ points }) => {
      const values = new Map(points.map(({ at, value }) => [at, value]));
      return times.map((at) => values.get(at) ?? null);
    }),
  ];
}

/**
 * A number of the figure, as the server says with each page.
 * @param {string} id
 * @param {string} name
 * @returns {number}
 */
function numberOf(id, name) {
  return Number(document.getElementById(`chart-${id}`)?.dataset[name]);
}

/** The time zone of the site, as the server says with each page. */
function timezone() {
  return document.getElementById('history')?.dataset['timezone'] ?? 'UTC';
}

/**
 * In the time zone of the site, whatever that of the browser is.
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
 * @param {string} id
 * @param {number} at
 * @returns {string} the time on a chart of a day, otherwise the day
 */
function tickText(id, at) {
  const { local } = timeIn(at);
  return numberOf(id, 'until') - numberOf(id, 'from') > 2 * DAY_MS ? local.slice(5, 10) : local.slice(11, 16);
}

/** @param {string} name */
function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * @param {string} id
 * @param {readonly Line[]} lines
 * @param {number} width
 */
function optionsOf(id, lines, width) {
  const { unit, bars, colours } = CHARTS[id] ?? { unit: '', bars: false, colours: [] };
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
    values: (/** @type {Chart} */ _chart, /** @type {readonly number[]} */ at) =>
      at.map((one) => tickText(id, one * 1_000)),
  };
  return {
    width,
    height: HEIGHT,
    tzDate: (/** @type {number} */ seconds) => uplot.tzDate(new Date(seconds * 1_000), timezone()),
    legend: { show: false },
    cursor: { points: { size: 6 }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [numberOf(id, 'from') / 1_000, numberOf(id, 'until') / 1_000] },
      y: {
        range: (/** @type {Chart} */ _chart, /** @type {number} */ _least, /** @type {number} */ most) =>
          unit === '%' ? [numberOf(id, 'bottom'), 100] : [0, Math.max(most * 1.05, 1)],
      },
    },
    axes: [time, { ...axis, size: 48, label: unit, labelSize: 18, labelFont: '12px system-ui, sans-serif' }],
    hooks: {
      drawClear: [drawMarks],
      setCursor: [(/** @type {Chart} */ chart) => read(id, chart.cursor.idx ?? null)],
    },
    series: [
      {},
      ...lines.map(({ name }, index) => {
        const colour = colourOf(COLOURS[colours[index % colours.length] ?? 0] ?? '');
        return {
          label: name,
          stroke: colour,
          fill: bars ? colour : undefined,
          width: bars ? 0 : 1.5,
          points: { show: false },
          paths: bars ? uplot.paths.bars({ size: [0.8, 40] }) : undefined,
        };
      }),
    ],
  };
}

/**
 * When something was wrong, behind the lines.
 * @param {Chart} chart
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
 * Says what is pointed at; else the latest.
 * @param {string} id
 * @param {number | null} index
 */
function read(id, index) {
  const reading = drawn.get(id)?.reading;
  if (reading === undefined || fetched.data === null) return;
  const lines = linesOf(id, fetched.data);
  const [times = [], ...values] = columns(lines);
  const place = index ?? times.length - 1;
  const { unit } = CHARTS[id] ?? { unit: '' };
  const parts = lines.flatMap(({ name, silent }, line) => {
    const value = values[line]?.[place] ?? null;
    return value === null || silent === true ? [] : [`${name} ${String(Math.round(value * 100) / 100)} ${unit}`];
  });
  const at = times[place] ?? null;
  if (at === null) {
    reading.textContent = '';
    return;
  }
  const { local, offset } = timeIn(at * 1_000);
  reading.textContent = `${local} ${offset}: ${parts.join(', ')}`;
}

/**
 * @param {string} id
 * @param {ChartData} data
 * @returns {readonly Line[]}
 */
function linesOf(id, data) {
  return CHARTS[id]?.lines(data, spanOf()) ?? [];
}

/** How long a bar of the availability stands for. */
function spanOf() {
  const days = (numberOf('availability', 'until') - numberOf('availability', 'from')) / DAY_MS;
  return days > 7 ? DAY_MS : DAY_MS / 24;
}

/** @param {ChartData} data */
function draw(data) {
  fetched.data = data;
  fetched.timezone = timezone();
  for (const figure of document.querySelectorAll('figure[data-chart]')) {
    const id = figure.id.replace('chart-', '');
    const plot = figure.querySelector('.plot');
    const lines = linesOf(id, data);
    if (plot === null || lines.every(({ points }) => points.length === 0)) continue;
    const before = drawn.get(id);
    if (before?.plot === plot && before.chart.series.length === lines.length + 1) {
      before.chart.setData(columns(lines));
    } else {
      before?.chart.destroy();
      drawAnew(id, lines, plot);
    }
    read(id, null);
  }
}

/**
 * @param {string} id
 * @param {readonly Line[]} lines
 * @param {Element} plot
 */
function drawAnew(id, lines, plot) {
  const width = plot.clientWidth;
  const reading = document.createElement('p');
  reading.className = 'reading';
  plot.replaceChildren();
  plot.classList.add('drawn');
  const Chart = library();
  const chart = new Chart(optionsOf(id, lines, width), columns(lines), plot);
  plot.append(reading);
  drawn.set(id, { chart, plot, reading });
  widths.observe(plot);
}

/** A new width keeps what is drawn; a new height, as of the address bar of a phone, is none. */
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

/** What is not there keeps its drawing: it says the same. */
function refreshOrKeep() {
  void refresh().catch(() => undefined);
}

/** In the colours of the new scheme, or in another time zone. */
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

/** Rounds that replace the page while the charts are loaded must not load them again. */
const visit = { started: false };

const observer = new IntersectionObserver((entries) => {
  if (visit.started || !entries.some(({ isIntersecting }) => isIntersecting)) return;
  observer.disconnect();
  visit.started = true;
  void start().catch(() => {
    visit.started = false;
  });
});

/** The page is replaced after each round, and the section with it. */
function watchForVisitors() {
  const section = document.querySelector('.history');
  if (section !== null) observer.observe(section);
}

watchForVisitors();
new MutationObserver(() => {
  if (!visit.started) watchForVisitors();
  else if (fetched.data !== null && fetched.timezone !== timezone()) redraw();
}).observe(document.body, { childList: true });
