/** Keys whose values are sentences: words may get better, only that they are there is promised. */
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
 * A value of JSON as lines `path: value`, sorted. Items of a list are named by their id or rule, so that their order
 * does not count; ports, times and sentences, which differ from run to run or may be worded better, are left out.
 */
export function linesOf(value: unknown): readonly string[] {
  return sorted(walk(value, '', printed));
}

/** The same with the sort of each value in place of the value, and all items of a list as one. */
export function shapeOf(value: unknown): readonly string[] {
  return sorted(
    walk(value, '', (leaf) => (leaf === null ? 'null' : typeof leaf)).map((line) =>
      line.replaceAll(/\[[^\]]+\]/gu, '[]'),
    ),
  );
}

/** Ports and times that the operating system and the clock gave. */
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
