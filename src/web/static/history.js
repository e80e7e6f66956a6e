// Replaces the drawings by charts that can be pointed at, once they are scrolled into view: nothing is loaded before.

const REFRESH_MS = 60_000;
const HEIGHT = 180;
const DAY_MS = 86_400_000;
const COLOURS = ['--series-0', '--series-1', '--series-2', '--series-3', '--series-4', '--series-5'];

/** @type {Readonly<Record<string, string>>} */
const PHASES = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'Answer' };

/**
 * @typedef {{ readonly at: number, readonly value: number }} Point
 * @typedef {{ readonly name: string, readonly points: readonly Point[] }} Line
 * @typedef {{ readonly day: number, readonly share: number }} Day
 * @typedef {{ until: number, latency: readonly Line[], errors: readonly Line[], tokens: readonly Line[],
 *   days: readonly Day[] }} ChartData
 * @typedef {{ readonly unit: string, readonly bars: boolean, readonly colour: number,
 *   readonly lines: (data: ChartData) => readonly Line[] }} ChartKind
 */

/** @type {Readonly<Record<string, ChartKind>>} */
const CHARTS = {
  availability: {
    unit: '%',
    bars: true,
    colour: 1,
    // In the middle of its day.
    lines: ({ days }) => [
      { name: 'Availability', points: days.map(({ day, share }) => ({ at: day + DAY_MS / 2, value: share * 100 })) },
    ],
  },
  latency: {
    unit: 'ms',
    bars: false,
    colour: 0,
    lines: ({ latency }) =>
      latency
        .filter(({ points }) => points.length > 0)
        .map((line) => ({ ...line, name: PHASES[line.name] ?? line.name })),
  },
  errors: { unit: 'an hour', bars: true, colour: 4, lines: ({ errors }) => errors },
  tokens: { unit: 'tokens', bars: false, colour: 0, lines: ({ tokens }) => tokens },
};

/**
 * What is used of uPlot.
 * @typedef {{ setData(data: unknown): void, destroy(): void, readonly series: readonly unknown[] }} Chart
 * @typedef {{ new (options: unknown, data: unknown, at: Element): Chart, tzDate(date: Date, zone: string): Date,
 *   readonly paths: { bars(options: unknown): unknown } }} ChartLibrary
 */

/** @type {Map<string, { readonly chart: Chart, readonly plot: Element }>} */
const drawn = new Map();

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
  return typeof value === 'object' && value !== null && 'days' in value && 'latency' in value;
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
 * Both ends of a chart, as the server says with each page.
 * @param {string} id
 * @returns {readonly number[]}
 */
function spanOf(id) {
  const { from, until } = document.getElementById(`chart-${id}`)?.dataset ?? {};
  return [Number(from), Number(until)];
}

/**
 * @param {number} at
 * @param {readonly number[]} span
 * @returns {string} the time (UTC) on a chart of a day, else the day
 */
function timeText(at, [from = 0, until = 0]) {
  const text = new Date(at).toISOString();
  return until - from > 2 * DAY_MS ? text.slice(5, 10) : text.slice(11, 16);
}

/**
 * @param {string} id
 * @param {readonly Line[]} lines
 * @param {number} width
 */
function optionsOf(id, lines, width) {
  const { unit, bars, colour: first } = CHARTS[id] ?? { unit: '', bars: false, colour: 0 };
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const uplot = library();
  const time = {
    ...axis,
    size: 28,
    values: (/** @type {Chart} */ _chart, /** @type {readonly number[]} */ at) =>
      at.map((one) => timeText(one * 1_000, spanOf(id))),
  };
  return {
    width,
    height: HEIGHT,
    tzDate: (/** @type {number} */ seconds) => uplot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    cursor: { points: { size: 6 } },
    scales: {
      x: { range: () => spanOf(id).map((at) => at / 1_000) },
      y: {
        range: (/** @type {Chart} */ _chart, /** @type {number} */ _least, /** @type {number} */ most) => [
          0,
          Math.max(most * 1.05, 1),
        ],
      },
    },
    axes: [time, { ...axis, size: 48 }],
    series: [
      { value: '{YYYY}-{MM}-{DD} {HH}:{mm}' },
      ...lines.map(({ name }, index) => ({
        label: name,
        stroke: colour(COLOURS[(index + first) % COLOURS.length] ?? ''),
        fill: bars ? colour(COLOURS[(index + first) % COLOURS.length] ?? '') : undefined,
        width: bars ? 0 : 1.5,
        points: { show: false },
        paths: bars ? uplot.paths.bars({ size: [0.8, 40] }) : undefined,
        value: (/** @type {Chart} */ _chart, /** @type {number | null} */ value) =>
          value === null ? '–' : `${String(Math.round(value * 100) / 100)} ${unit}`,
      })),
    ],
  };
}

/** @param {ChartData} data */
function draw(data) {
  for (const figure of document.querySelectorAll('figure[data-chart]')) {
    const id = figure.id.replace('chart-', '');
    const plot = figure.querySelector('.plot');
    const lines = CHARTS[id]?.lines(data) ?? [];
    if (plot === null || lines.length === 0) continue;
    const before = drawn.get(id);
    if (before?.plot === plot && before.chart.series.length === lines.length + 1) {
      before.chart.setData(columns(lines));
      continue;
    }
    before?.chart.destroy();
    const width = plot.clientWidth;
    plot.replaceChildren();
    plot.classList.add('drawn');
    const Chart = library();
    drawn.set(id, { chart: new Chart(optionsOf(id, lines, width), columns(lines), plot), plot });
  }
}

async function refresh() {
  const response = await fetch('api/v1/history', { cache: 'no-store' });
  /** @type {unknown} */
  const data = await response.json();
  if (isChartData(data)) draw(data);
}

/** What is not there keeps its drawing: it says the same. */
function refreshOrKeep() {
  void refresh().catch(() => undefined);
}

async function start() {
  await Promise.all([
    load('script', { src: 'static/uplot.js' }),
    load('link', { rel: 'stylesheet', href: 'static/uplot.css' }),
  ]);
  await refresh();
  setInterval(refreshOrKeep, REFRESH_MS);
  // Lines of the new width, colours of the new scheme.
  const redraw = () => {
    for (const { chart } of drawn.values()) chart.destroy();
    drawn.clear();
    refreshOrKeep();
  };
  addEventListener('resize', redraw);
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
}).observe(document.body, { childList: true });
