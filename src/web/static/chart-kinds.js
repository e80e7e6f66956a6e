// What each chart shows of `/api/v1/history`, and how.

/** @type {Readonly<Record<string, string>>} */
const PHASES = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'Answer' };

/**
 * @typedef {{ readonly at: number, readonly value: number }} Point
 * @typedef {{ readonly name: string, readonly points: readonly Point[] }} Line
 * @typedef {{ readonly day: number, readonly share: number }} Day
 * @typedef {{ readonly from: number, readonly until: number | null }} Mark
 * @typedef {{ until: number, latency: readonly Line[], errors: readonly Line[], tokens: readonly Line[],
 *   days: readonly Day[], incidents: readonly Mark[] }} ChartData
 * @typedef {{ readonly unit: string, readonly bars: boolean, readonly colours: readonly number[],
 *   readonly lines: (data: ChartData, span: number) => readonly Line[] }} ChartKind
 */

/** @type {Readonly<Record<string, ChartKind>>} */
export const CHARTS = {
  availability: {
    unit: '%',
    bars: true,
    colours: [1, 4],
    // In the middle of what a bar stands for.
    lines: ({ days }, span) => {
      const points = days.map(({ day, share }) => ({ at: day + span / 2, value: share * 100 }));
      return [
        { name: 'Available', points: points.filter(({ value }) => value === 100) },
        { name: 'With an outage', points: points.filter(({ value }) => value < 100) },
      ];
    },
  },
  latency: {
    unit: 'ms',
    bars: false,
    colours: [0, 1, 2, 3, 4, 5],
    lines: ({ latency }) =>
      latency
        .filter(({ points }) => points.length > 0)
        .map((line) => ({ ...line, name: PHASES[line.name] ?? line.name })),
  },
  errors: { unit: 'errors', bars: true, colours: [4, 5, 0, 1, 2, 3], lines: ({ errors }) => errors },
  tokens: { unit: 'tokens', bars: false, colours: [0, 1, 2, 3, 4, 5], lines: ({ tokens }) => tokens },
};
