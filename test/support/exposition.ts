/** One series of a text in Prometheus' exposition format. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the series of such a text. @throws on a line that is none */
export function parseExposition(text: string): readonly Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/u.exec(line) ?? [];
      if (name === undefined) throw new Error(`Cannot read the series "${line}"`);
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gu)].map(
        ([, key = '', text_ = '']) => [key, text_] as const,
      );
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

/** The sets of label names that a metric is seen with, `le` left out. */
export function labelNames(series: readonly Series[], metric: string): readonly string[] {
  const seen = series
    .filter(({ name }) => name === metric || (name.startsWith(`${metric}_`) && /_(?:bucket|sum|count)$/u.test(name)))
    .map(({ labels }) =>
      Object.keys(labels)
        .filter((label) => label !== 'le')
        .toSorted()
        .join(' '),
    );
  return [...new Set(seen)];
}
