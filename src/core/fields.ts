/** An object that was read from somewhere else. Nothing in it is validated. */
export type Fields = Readonly<Record<string, unknown>>;

/** Empty if the value is not an object. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
