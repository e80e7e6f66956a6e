// @ts-check
// Prepares the data from `/api/v1/history` for the summaries of the server and for the charts of history.js.

const HOUR = 3_600_000;
/** More lines cannot be distinguished. */
const MOST_LINES = 6;
/** Points further apart than this share of the range are not joined. */
const MAX_GAP = 1 / 24;
/** The colour index of errors. */
const BAD = 4;

/**
 * @typedef {{ readonly at: number, readonly value: number }} Point
 * @typedef {{ readonly name: string, readonly points: readonly Point[] }} Named
 * @typedef {{ readonly from: number, readonly latency: readonly Named[], readonly errors: readonly Named[],
 *   readonly tokens: readonly Named[] }} Past
 * @typedef {Named & { readonly colour: number }} Line
 * @typedef {{ readonly id: 'latency' | 'errors' | 'tokens', readonly unit: string, readonly span: number | null,
 *   readonly from: number, readonly until: number, readonly top: number, readonly gap: number,
 *   readonly lines: readonly Line[] }} Chart `span` is the period that each bar covers, starting at its point. Null for
 *   a line chart
 */

/**
 * @param {Past} past
 * @param {{ readonly until: number, readonly span: number }} window the end of the scale and the period of a bar
 * @returns {readonly Chart[]}
 */
export function chartsOf({ from, latency, errors, tokens }, { until, span }) {
  const scale = { from, until, gap: (until - from) * MAX_GAP };
  const phases = latency
    .filter(({ points }) => points.length > 0)
    .map(({ name, points }) => ({ name: name.toUpperCase(), points }));
  // The data is hourly for up to a week. For 90 days, there is no room for each hour.
  const step = Math.min(span, 6 * HOUR);
  const left = tokens.map(({ name, points }) => ({ name, points: lastOfEach(points, step) }));
  return [
    { ...scale, id: 'latency', unit: 'ms', span: null, ...linesOf(phases, 0) },
    { ...scale, id: 'errors', unit: 'errors', span, ...linesOf(errors, BAD) },
    { ...scale, id: 'tokens', unit: 'tokens', span: null, ...linesOf(left, 0) },
  ];
}

/**
 * Returns a column of times and a column of values for each line. A value is null at a gap in the line, and undefined
 * at a time for which only another line has a point. Bars are placed in the middle of their span.
 * @param {Chart} chart
 * @returns {readonly (readonly (number | null | undefined)[])[]}
 */
export function columns({ lines, span, gap }) {
  const values = lines.map(({ points }) => {
    /** @type {Map<number, number | null>} */
    const own = new Map();
    for (const [index, { at, value }] of points.entries()) {
      const before = points[index - 1];
      if (span === null && before !== undefined && at - before.at > gap) own.set(before.at + 1, null);
      own.set(at + (span ?? 0) / 2, value);
    }
    return own;
  });
  const times = [...new Set(values.flatMap((own) => [...own.keys()]))].sort((a, b) => a - b);
  return [times.map((at) => at / 1_000), ...values.map((own) => times.map((at) => own.get(at)))];
}

/**
 * @param {readonly Named[]} named
 * @param {number} first colour
 */
function linesOf(named, first) {
  const shown = named.slice(0, MOST_LINES);
  const most = shown.flatMap(({ points }) => points).reduce((highest, { value }) => Math.max(highest, value), 0);
  return {
    top: ceiling(most),
    lines: shown.map((line, index) => ({ ...line, colour: (index + first) % MOST_LINES })),
  };
}

/**
 * Rounds up to 1, 2 or 5 times a power of ten.
 * @param {number} value
 */
function ceiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

/**
 * @param {readonly Point[]} points
 * @param {number} span
 */
function lastOfEach(points, span) {
  return points.filter(
    ({ at }, index) => Math.floor(at / span) !== Math.floor((points[index + 1]?.at ?? Infinity) / span),
  );
}
