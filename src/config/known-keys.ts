import * as z from 'zod';
import { alternatives } from './schema/alternatives.ts';

/** The keys that the section at this path takes. */
export function knownKeys(schema: z.core.$ZodType, path: readonly (string | number)[]): readonly string[] {
  const [first, ...rest] = path;
  return alternatives(schema).flatMap((one) => {
    if (one instanceof z.core.$ZodArray) return typeof first === 'number' ? knownKeys(one._zod.def.element, rest) : [];
    if (!(one instanceof z.core.$ZodObject)) return [];
    const { shape } = one._zod.def;
    if (first === undefined) return Object.keys(shape);
    const child = shape[first];
    return child === undefined ? [] : knownKeys(child, rest);
  });
}

/** The paths of all keys: `mail[].port`. */
export function allKeyPaths(schema: z.core.$ZodType, prefix = ''): readonly string[] {
  const all = alternatives(schema);
  const items = all.flatMap((one) => (one instanceof z.core.$ZodArray ? alternatives(one._zod.def.element) : []));
  return all.flatMap((one) => {
    // What may stand by itself instead of in a list has the same keys.
    if (items.includes(one)) return [];
    if (one instanceof z.core.$ZodArray) return allKeyPaths(one._zod.def.element, `${prefix}[]`);
    if (!(one instanceof z.core.$ZodObject)) return [];
    return Object.entries(one._zod.def.shape).flatMap(([key, child]) => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      return [path, ...allKeyPaths(child, path)];
    });
  });
}
