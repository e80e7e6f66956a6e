import * as z from 'zod';

/** The sections, lists and plain values that a text may be under this schema, without what is wrapped around them. */
export function alternatives(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const inner = insideOf(schema);
  return inner.length === 0 ? [schema] : inner.flatMap(alternatives);
}

/** The schemas that take the same text as a wrapper does. */
export function insideOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodPipe) return [schema.in];
  if (schema instanceof z.ZodUnion) return schema.options;
  const wraps = schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable;
  return wraps ? [schema.unwrap()] : [];
}
