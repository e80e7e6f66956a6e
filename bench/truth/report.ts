import type { Millis } from '../../src/core/clock.ts';
import { table } from '../markdown-table.ts';
import type { TimeToTruth } from './measure.ts';

/** Measurements in one setting. */
export interface MeasuredSetting {
  readonly title: string;
  readonly found: readonly TimeToTruth[];
}

const HEAD = [
  'Time to the truth, s',
  'faults',
  'mail: least – median – nine in ten – most',
  'a round that shows it begins',
  'it ends',
  'it is confirmed',
  'the mail is accepted',
];

/** Reports the distribution of the total time, and the means of its parts, which add up. */
export function truthReport(settings: readonly MeasuredSetting[]): string {
  return table(HEAD, settings.flatMap(rowsOf)).join('\n');
}

function rowsOf({ title, found }: MeasuredSetting): readonly (readonly string[])[] {
  const kinds = [...Map.groupBy(found, ({ fault }) => fault)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return [rowOf(`**${title}**`, found), ...kinds.map(([kind, own]) => rowOf(kind, own))];
}

function rowOf(title: string, found: readonly TimeToTruth[]): readonly string[] {
  return [
    title,
    String(found.length),
    distribution(found.map(({ mailed }) => mailed)),
    ...partsOf(found.filter(({ mailed }) => mailed !== null)),
  ];
}

function partsOf(told: readonly TimeToTruth[]): readonly string[] {
  const ends = told.map(({ begun, shown, opened, mailed }) => [begun ?? 0, shown ?? 0, opened ?? 0, mailed ?? 0]);
  return [0, 1, 2, 3].map((part) => {
    const spans = ends.map((times) => (times[part] ?? 0) - (part === 0 ? 0 : (times[part - 1] ?? 0)));
    const mean = spans.reduce((sum, span) => sum + span, 0) / Math.max(1, spans.length);
    return `${part === 0 ? '' : '+'}${seconds(mean)}`;
  });
}

/** Faults that were never found are sorted last. */
function distribution(times: readonly (Millis | null)[]): string {
  const sorted = times.toSorted((one, other) => (one ?? Infinity) - (other ?? Infinity));
  const at = (share: number): string => seconds(sorted[Math.round(share * (sorted.length - 1))] ?? null);
  return `${at(0)} – ${at(0.5)} – ${at(0.9)} – ${at(1)}`;
}

export function seconds(time: Millis | null): string {
  return time === null ? 'never' : (time / 1000).toFixed(1);
}
