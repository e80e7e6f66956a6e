/** Quotes its arguments for a shell and runs them in a terminal with util-linux's `script`, which copies the output. */
const RUN = String.raw`exec script --quiet --return --flush --command "$0 $(printf "'%s' " "$@")" /dev/null`;

/**
 * Returns a command prefix that runs a command in a terminal with this many columns; 0: unknown, as for consoles
 * without a size. Needs the program `script`.
 */
export function inTerminal(columns: number): readonly string[] {
  return ['sh', '-c', RUN, `stty cols ${String(columns)};`];
}
