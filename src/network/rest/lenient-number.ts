/**
 * A number that an appliance may write as `64`, `"64"`, `"64%"` or `"1427344.0 KB"` (the unit is dropped); null for
 * anything else.
 */
export function lenientNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.length > 40) return null;
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*(?:%|[KMGT]?B)?\s*$/iu.exec(value);
  return match === null ? null : Number(match[1]);
}

/** A count: a lenient number that is whole and not negative. */
export function lenientCount(value: unknown): number | null {
  const number = lenientNumber(value);
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null;
}
