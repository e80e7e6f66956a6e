import { table } from './markdown-table.ts';
import { formatSpread, spreadOf } from './statistics.ts';

/** Repeated measurements of several programs. */
export class Figures {
  readonly #values = new Map<string, Map<string, number[]>>();

  add(what: string, program: string, value: number): void {
    const programs = this.#values.get(what) ?? new Map<string, number[]>();
    this.#values.set(what, programs.set(program, [...(programs.get(program) ?? []), value]));
  }

  /** Returns a Markdown table of medians and ranges, with a row for each quantity and a column for each program. */
  table(title: string): readonly string[] {
    const rows = [...this.#values];
    const programs = [...new Set(rows.flatMap(([, values]) => [...values.keys()]))];
    const cell = (values: readonly number[] | undefined): string =>
      values === undefined ? '–' : formatSpread(spreadOf(values), Math.max(...values) < 100 ? 1 : 0);
    return table(
      [title, ...programs],
      rows.map(([what, values]) => [what, ...programs.map((program) => cell(values.get(program)))]),
    );
  }
}
