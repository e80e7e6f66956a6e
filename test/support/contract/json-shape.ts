/**
 * Returns the fields of a JSON value with their types, such as `attachments[].title: string`, sorted and without
 * duplicates.
 */
export function shapeOf(value: unknown, path = ''): readonly string[] {
  return [...new Set(linesOf(value, path))].toSorted();
}

function linesOf(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => linesOf(item, `${path}[]`));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, inner]) => linesOf(inner, path === '' ? key : `${path}.${key}`));
  return [`${path}: ${value === null ? 'null' : typeof value}`];
}
