import { table } from '../markdown-table.ts';
import { formatSpread } from '../statistics.ts';
import type { StackCost } from './measure.ts';

/** Returns Markdown rows with the sums of all processes. The first column is ours. */
export function stackLines(stacks: readonly StackCost[]): readonly string[] {
  const rows: readonly (readonly [string, (stack: StackCost) => string])[] = [
    ['CPU of five minutes, ms', (stack) => sumText(stack, ({ cpuMs }) => cpuMs, 0)],
    ['anonymous memory, MiB', (stack) => sumText(stack, ({ memory }) => memory.anonymous, 1)],
    ['resident memory, MiB', (stack) => sumText(stack, ({ memory }) => memory.resident, 1)],
    ['from a fault to the mail, s', ({ mailSeconds }) => formatSpread(mailSeconds, 1)],
  ];
  if (stacks.length === 0) return [];
  return table(
    ['From a fault to a mail', ...stacks.map(({ name }) => name)],
    rows.map(([title, textOf]) => [title, ...stacks.map(textOf)]),
  );
}

type Part = StackCost['parts'][number];

/** `**210** (25 + 130 + 55)`, in the order of the processes in the column's title. */
function sumText({ parts }: StackCost, of: (part: Part) => number, digits: number): string {
  const total = parts.reduce((sum, part) => sum + of(part), 0).toFixed(digits);
  return parts.length === 1
    ? `**${total}**`
    : `**${total}** (${parts.map((part) => of(part).toFixed(digits)).join(' + ')})`;
}
