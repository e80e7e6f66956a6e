import * as z from 'zod';
import { expectedMessage } from '../../text/show.ts';
import { fieldsOf, isMapping, type Rule } from './rules.ts';
import type { SecretField } from './secret.ts';
import { expected } from './values.ts';

/** What stands under each key; a secret takes two keys. */
type Shape = Readonly<Record<string, z.ZodType | SecretField<unknown>>>;

type SectionOf<S extends Shape> = {
  readonly [Key in keyof S]: S[Key] extends SecretField<infer Source> ? Source : z.output<S[Key]>;
};

/** A mapping with these keys and no others. `rule` looks at several keys of it, beside whatever else is wrong. */
export function section<const S extends Shape>(shape: S, rule?: Rule): z.ZodType<SectionOf<S>>;
export function section(shape: Shape, rule?: Rule): z.ZodType {
  const fields = Object.entries(shape).map(([name, field]) => ({ name, field }));
  const secrets = fields.flatMap(({ name, field }) => (field instanceof z.ZodType ? [] : [{ name, field }]));
  const written = z
    .strictObject(Object.fromEntries(fields.flatMap(({ name, field }) => keysOf(name, field))), {
      error: ({ code, input }) =>
        code === 'invalid_type' ? expectedMessage('a section (keys and values)', input) : undefined,
    })
    .superRefine(
      (value, context) => {
        for (const apply of [...secrets.map(({ name, field }) => field.rule(name)), rule]) {
          apply?.(fieldsOf(value), (at, message) => {
            context.addIssue({ code: 'custom', path: typeof at === 'string' ? [at] : [...(at ?? [])], message });
          });
        }
      },
      { when: ({ value }) => isMapping(value) },
    );
  if (secrets.length === 0) return written;
  return z.codec(written, z.custom(), {
    decode: (value) =>
      Object.fromEntries(
        fields.map(({ name, field }) => [name, field instanceof z.ZodType ? value[name] : field.decode(name, value)]),
      ),
    encode: (value) =>
      Object.fromEntries(
        Object.entries(fieldsOf(value)).flatMap(([name, inner]) => {
          const field = shape[name];
          return field === undefined || field instanceof z.ZodType ? [[name, inner]] : field.encode(name, inner);
        }),
      ),
  });
}

/** A section whose keys say what some others are where they are missing. */
export function completed<Given, Complete extends Given>(
  schema: z.ZodType<Given>,
  complete: (given: Given) => Complete,
): z.ZodType<Complete> {
  return z.codec(schema, z.custom<Complete>(), { decode: complete, encode: (value) => value });
}

/** null where the key is missing; it is not printed then. */
export function optional<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return z.codec(schema.optional(), z.custom<T | null>(), {
    decode: (given) => given ?? null,
    encode: (value) => value ?? undefined,
  });
}

/** A sequence of such items; `least` says what there must be one of, where it may not be empty. */
export function list<T>(item: z.ZodType<T>, least?: string): z.ZodType<readonly T[]> {
  const items = z.array(item, expected('a list'));
  return least === undefined ? items : items.min(1, { error: `expected at least one ${least}` });
}

function keysOf(name: string, field: Shape[string]): readonly (readonly [key: string, schema: z.ZodType])[] {
  return field instanceof z.ZodType ? [[name, field]] : field.keys(name);
}
