import { z } from 'zod';

/** A list, cut before its items are looked at: each that does not fit costs an error of its own. */
export function cutList<Item extends z.ZodType>(item: Item, most: number): z.ZodType<readonly z.infer<Item>[]> {
  return z.preprocess((value) => (Array.isArray(value) ? value.slice(0, most) : value), z.array(item));
}
