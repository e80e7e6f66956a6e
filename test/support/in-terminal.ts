/**
 * Quotes what follows for a shell, and runs it in a terminal by util-linux's `script`, which copies what arrives there.
 */
const RUN = String.raw`exec script --quiet --return --flush --command "$0 $(printf "'%s' " "$@")" /dev/null`;

/**
 * What a command has to begin with to run in a terminal of its own, so many columns wide; 0, as consoles without a size
 * have it: not known. Needs the program `script`.
 */
export function inTerminal(columns: number): readonly string[] {
  return ['sh', '-c', RUN, `stty cols ${String(columns)};`];
}
