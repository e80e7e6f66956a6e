/** Keys whose values are sentences. Wording may change, so only their presence is promised. */
const SENTENCES: ReadonlySet<string> = new Set([
  'summary',
  'impact',
  'evidence',
  'remedy',
  'remedySteps',
  'expected',
  'actual',
  'claim',
  'quote',
  'product',
]);

/**
 * Returns a JSON value as sorted lines `path: value`. List items are identified by their id or rule, so that their
 * order does not matter. Ports, times and sentences are left out, because they differ from run to run or may be
 * reworded.
 */
export function linesOf(value: unknown): readonly string[] {
  return sorted(walk(value, '', printed));
}

/** As {@link linesOf}, with the type of each value instead of the value, and all items of a list merged. */
export function shapeOf(value: unknown): readonly string[] {
  return sorted(
    walk(value, '', (leaf) => (leaf === null ? 'null' : typeof leaf)).map((line) =>
      line.replaceAll(/\[[^\]]+\]/gu, '[]'),
    ),
  );
}

/** Replaces ports and times, which differ from run to run. */
export function withoutAccidents(text: string): string {
  return text.replaceAll(/:\d{4,5}\b/gu, ':<port>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, '<time>');
}

function walk(value: unknown, path: string, print: (leaf: unknown) => string): readonly string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${path}: []`];
    return value.flatMap((item) => walk(item, `${path}[${nameOf(item)}]`, print));
  }
  if (typeof value !== 'object' || value === null) return [`${path}: ${print(value)}`];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return SENTENCES.has(key) && inner !== null ? [`${at}: <text>`] : walk(inner, at, print);
  });
}

function nameOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return '';
  const { id, rule } = { id: null, rule: null, ...item };
  const name = id ?? rule;
  return typeof name === 'string' ? withoutAccidents(name) : '';
}

function printed(leaf: unknown): string {
  return withoutAccidents(JSON.stringify(leaf));
}

function sorted(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)].toSorted();
}
