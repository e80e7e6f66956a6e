import type { EpochMs, Millis } from '../../core/clock.ts';
import type { Zone } from '../../core/zoned-text.ts';
import { CHART_WINDOWS, type ChartLine, type ChartRange, type RangeData } from '../chart-data.ts';
import { msText, PHASES, shareText } from './history-words.ts';
import { type Markup, markup } from './markup.ts';

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/** What a row stands for: few enough to be read out. */
const ROW_SPANS: Readonly<Record<ChartRange, Millis>> = { '24h': 2 * HOUR, '7d': DAY, '30d': 2 * DAY, '90d': 7 * DAY };

type Point = ChartLine['points'][number];

/** The charts in figures, for who does not see them. */
export function historyTable(data: RangeData, zone: Zone): Markup {
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
