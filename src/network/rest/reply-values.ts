import * as z from 'zod';

/**
 * Accepts `64`, `"64"`, `"64%"` and `"1427344.0 KB"` (the unit is dropped), because appliances use all of these
 * formats.
 */
export function lenientNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.length > 40) return null;
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*(?:%|[KMGT]?B)?\s*$/iu.exec(value);
  return match === null ? null : Number(match[1]);
}

export function lenientCount(value: unknown): number | null {
  const number = lenientNumber(value);
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** The list is truncated before validation, because each invalid item creates an error object. */
export function cutList<Item extends z.ZodType>(item: Item, most: number): z.ZodType<readonly z.infer<Item>[]> {
  return z.preprocess((value) => (Array.isArray(value) ? value.slice(0, most) : value), z.array(item));
}

/** In Fortinet's format, such as `FAC-VM0000000000`. Values in this format are safe to display. */
export const serialNumber: z.ZodType<string> = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{2,39}$/u)
  .toUpperCase();
