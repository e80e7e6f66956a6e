import * as z from 'zod';
import { showValue } from '../../text/show.ts';
import { expected } from './values.ts';

/** A section as far as it could be read: rules run beside other problems too, so that all are told at once. */
export type Fields = Readonly<Record<string, unknown>>;

/** Tells a problem of the section: at one of its keys, at a key further down, or at the section itself (null). */
export type Report = (at: string | readonly string[] | null, message: string) => void;

/** A mapping with these keys and no others. */
export function section<S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  const wanted = expected('a section (keys and values)');
  return z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? wanted.error(issue) : undefined) });
}

/** A sequence of such items. */
export function list<T>(item: z.ZodType<T>): z.ZodArray<z.ZodType<T>> {
  return z.array(item, expected('a list'));
}

/** Adds a rule that looks at several keys of a section. */
export function ruled<S extends z.ZodType>(schema: S, rule: (fields: Fields, report: Report) => void): S {
  return schema.superRefine(
    (value, context) => {
      rule(fieldsOf(value), (at, message) => {
        context.addIssue({ code: 'custom', path: typeof at === 'string' ? [at] : [...(at ?? [])], message });
      });
    },
    { when: ({ value }) => isFields(value) },
  );
}

/**
 * No two items may have the same label; `key` is where the label stands in an item, null when the item is the label.
 */
export function unique<S extends z.ZodType>(
  schema: S,
  key: string | null,
  labelOf: (item: unknown) => string | null,
): S {
  return schema.superRefine(
    (value, context) => {
      const seen = new Set<string>();
      for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
        const label = labelOf(item);
        if (label === null) continue;
        if (seen.has(label)) {
          context.addIssue({
            code: 'custom',
            path: key === null ? [index] : [index, key],
            message: `${showValue(label)} stands in this list already`,
          });
        }
        seen.add(label);
      }
    },
    { when: ({ value }) => Array.isArray(value) },
  );
}

/** The text at one key of an item. */
export function textAt(key: string): (item: unknown) => string | null {
  return (item) => {
    const value = fieldsOf(item)[key];
    return typeof value === 'string' ? value : null;
  };
}

/** `host:port` of an item. */
export function endpointAt(item: unknown): string | null {
  const { host, port } = fieldsOf(item);
  return typeof host === 'string' && typeof port === 'number' ? `${host}:${String(port)}` : null;
}

/** Exactly one of `<name>File` and `<name>Env`. */
export function requireSecret(name: string, fields: Fields, report: Report): void {
  allowSecret(name, fields, report);
  if (!hasSecret(name, fields)) report(null, `expected "${name}File" or "${name}Env", but neither is there`);
}

/** At most one of `<name>File` and `<name>Env`. */
export function allowSecret(name: string, fields: Fields, report: Report): void {
  if (given(fields, `${name}File`) && given(fields, `${name}Env`))
    report(`${name}Env`, `expected only one of "${name}File" and "${name}Env"`);
}

/** A user and a password, or neither. */
export function requireLogin(fields: Fields, report: Report): void {
  allowSecret('password', fields, report);
  if (given(fields, 'user') && !hasSecret('password', fields))
    report('user', 'expected "passwordFile" or "passwordEnv" beside "user"');
  if (!given(fields, 'user') && hasSecret('password', fields)) report(null, 'expected "user" beside the password');
}

/** Whether a key stands in the section at all. */
export function given(fields: Fields, key: string): boolean {
  return fields[key] !== undefined;
}

/** The value's keys; none for what is no mapping. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasSecret(name: string, fields: Fields): boolean {
  return given(fields, `${name}File`) || given(fields, `${name}Env`);
}
