/** A series of a text in Prometheus' exposition format. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Parses the series of an exposition. @throws on an invalid line */
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

/** Returns the sets of label names with which a metric occurs, without `le`. */
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
