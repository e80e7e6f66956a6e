// @ts-check
// Prepares the data from `/api/v1/history` for the summaries of the server and for the charts of history.js.

const HOUR = 3_600_000;
/** More lines cannot be distinguished. */
const MOST_LINES = 6;
/** Points further apart than this share of the range are not joined. */
const MAX_GAP = 1 / 24;
/** Colour indexes. */
const GOOD = 1;
const BAD = 4;

/**
 * @typedef {{ readonly at: number, readonly value: number }} Point
 * @typedef {{ readonly name: string, readonly points: readonly Point[] }} Named
 * @typedef {{ readonly from: number, readonly latency: readonly Named[], readonly errors: readonly Named[],
 *   readonly tokens: readonly Named[], readonly days: readonly { readonly day: number, readonly share: number }[]
 * }} Past
 * @typedef {Named & { readonly colour: number, readonly silent: boolean }} Line `silent` lines are drawn only
 *   as a background
 * @typedef {{ readonly id: 'availability' | 'latency' | 'errors' | 'tokens', readonly unit: string,
 *   readonly span: number | null, readonly from: number, readonly until: number, readonly bottom: number,
 *   readonly top: number, readonly gap: number, readonly lines: readonly Line[] }} Chart `span` is the period
 *   that each bar covers, starting at its point. Null for a line chart
 */

/**
 * @param {Past} past
 * @param {{ readonly until: number, readonly span: number }} window the end of the scale and the period of a bar
 * @returns {readonly Chart[]}
 */
export function chartsOf({ from, latency, errors, tokens, days }, { until, span }) {
  const scale = { from, until, gap: (until - from) * MAX_GAP };
  const shares = days.map(({ day, share }) => ({ at: day, value: share * 100 }));
  const hurt = shares.filter(({ value }) => value < 100).map(({ at }) => ({ at, value: 100 }));
  const phases = latency
    .filter(({ points }) => points.length > 0)
    .map(({ name, points }) => ({ name: name.toUpperCase(), points }));
  // The data is hourly for up to a week. For 90 days, there is no room for each hour.
  const step = Math.min(span, 6 * HOUR);
  const left = tokens.map(({ name, points }) => ({ name, points: lastOfEach(points, step) }));
  return [
    {
      ...scale,
      id: 'availability',
      unit: '%',
      span,
      bottom: floorBelow(shares.reduce((least, { value }) => Math.min(least, value), 100)),
      top: 100,
      lines: [
        // The outage bars fill the whole height behind the availability bars, so only the missing part is visible.
        { name: 'Outage', points: hurt, colour: BAD, silent: true },
        { name: 'Available', points: shares, colour: GOOD, silent: false },
      ],
    },
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
    bottom: 0,
    top: ceiling(most),
    lines: shown.map((line, index) => ({ ...line, colour: (index + first) % MOST_LINES, silent: false })),
  };
}

/**
 * The start of the scale. An outage of one hour in a day is visible, and the lowest bar still has a height.
 * @param {number} least
 */
function floorBelow(least) {
  if (least === 100) return 0;
  return [99, 95, 90, 80, 50].find((floor) => least >= floor + (100 - floor) / 5) ?? 0;
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
