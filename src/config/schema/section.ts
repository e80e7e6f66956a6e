import * as z from 'zod';
import { expectedMessage } from '../../text/show.ts';
import { fieldsOf, isMapping, type Rule } from './rules.ts';
import type { SecretField } from './secret-field.ts';
import { expected } from './values.ts';

/** What stands under each key; a secret takes two keys. */
type Shape = Readonly<Record<string, z.ZodType | SecretField<unknown>>>;

type FieldOf<F extends Shape[string]> = F extends SecretField<infer Source> ? Source : z.output<F>;

/** A mapping with these keys and no others. `rule` looks at several keys of it, beside whatever else is wrong. */
export function section<const S extends Shape>(
  shape: S,
  rule?: Rule,
): z.ZodType<{ readonly [Key in keyof S]: FieldOf<S[Key]> }>;
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

/** A sequence of such items; none where the key is missing. */
export function list<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(item, expected('a list')).prefault([]);
}

/** A sequence of such items, or one by itself; none where the key is missing. It is printed as a sequence. */
export function listOrOne<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  const one = z.codec(item, z.custom<readonly T[]>(), {
    decode: (only): readonly T[] => [only],
    encode: (items, { issues }) => {
      issues.push({ code: 'custom', input: items, message: 'a list takes a sequence' });
      return z.NEVER;
    },
  });
  return z.union([z.array(item), one], expected('a section (keys and values), or a list of them')).prefault([]);
}

/** A sequence that holds at least one such item; `what` it is called. */
export function filledList<T>(item: z.ZodType<T>, what: string): z.ZodType<readonly T[]> {
  return z.array(item, expected('a list')).min(1, { error: `expected at least one ${what}` });
}

function keysOf(name: string, field: Shape[string]): readonly (readonly [key: string, schema: z.ZodType])[] {
  return field instanceof z.ZodType ? [[name, field]] : field.keys(name);
}
