import { styleText } from 'node:util';
import type { Clock } from '../core/clock.ts';
import { wrap } from '../text/wrap.ts';

/** Prints the story of the demo line by line, with the elapsed time. */
export interface Narrator {
  chapter(title: string): void;
  /** An action in the lab. */
  act(text: string): void;
  /** An observation. */
  seen(text: string): void;
  good(text: string): void;
  bad(text: string): void;
  /** A detail of the line before. */
  detail(label: string, text: string): void;
}

type Style = Parameters<typeof styleText>[0];

const LABEL_WIDTH = 9;
const INDENT = ' '.repeat(10);

export function createNarrator(
  output: { write(text: string): unknown },
  { color, width: columns }: { readonly color: boolean; readonly width: number },
  clock: Clock,
): Narrator {
  const started = clock.elapsed();
  const width = Math.max(60, Math.min(columns, 110));
  const paint = (style: Style, text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;

  function line(sign: string, style: Style, text: string): void {
    const time = `${((clock.elapsed() - started) / 1000).toFixed(1)} s`.padStart(7);
    const [first = '', ...rest] = wrap(text, width - INDENT.length);
    output.write(`${paint('dim', time)} ${paint(style, sign)} ${paint(style, first)}\n`);
    for (const more of rest) output.write(`${INDENT}${paint(style, more)}\n`);
  }

  return {
    chapter: (title) => {
      output.write(`\n${INDENT}${paint('bold', title)}\n`);
    },
    act: (text) => {
      line('→', 'bold', text);
    },
    seen: (text) => {
      line('·', 'reset', text);
    },
    good: (text) => {
      line('✓', 'green', text);
    },
    bad: (text) => {
      line('✗', 'red', text);
    },
    detail: (label, text) => {
      const [first = '', ...rest] = wrap(text, width - INDENT.length - LABEL_WIDTH);
      output.write(`${INDENT}${paint('dim', label.padEnd(LABEL_WIDTH))}${first}\n`);
      for (const more of rest) output.write(`${INDENT}${' '.repeat(LABEL_WIDTH)}${more}\n`);
    },
  };
}
