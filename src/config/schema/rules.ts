import type * as z from 'zod';
import { showValue } from '../../text/show.ts';

/** A section as far as it could be read: rules run beside other problems too, so that all are told at once. */
export type SectionFields = Readonly<Record<string, unknown>>;

/** Tells a problem of the section: at one of its keys, at a key further down, or at the section itself (null). */
export type Report = (at: string | readonly string[] | null, message: string) => void;

export type Rule = (fields: SectionFields, report: Report) => void;

/** Where in an item a label of it stands. */
export interface Label {
  readonly label: string;
  readonly path: readonly (string | number)[];
}

type LabelsOf = (item: unknown) => readonly Label[];

/** No two items may have the same label. `taken` says of which item it is already. */
export function unique<S extends z.ZodType>(
  schema: S,
  labelsOf: LabelsOf,
  taken = (label: string, _owner: number): string => `${showValue(label)} stands in this list already`,
): S {
  return schema.superRefine(
    (items, context) => {
      const owners = new Map<string, number>();
      for (const [index, item] of itemsOf(items).entries()) {
        for (const { label, path } of labelsOf(item)) {
          const owner = owners.get(label);
          if (owner !== undefined)
            context.addIssue({ code: 'custom', path: [index, ...path], message: taken(label, owner) });
          owners.set(label, owner ?? index);
        }
      }
    },
    { when: ({ value }) => Array.isArray(value) },
  );
}

/** The text at one key of an item. */
export function textAt(key: string): LabelsOf {
  return (item) => {
    const label = fieldsOf(item)[key];
    return typeof label === 'string' ? [{ label, path: [key] }] : [];
  };
}

/** `host:port` of an item. */
export function endpoint(item: unknown): readonly Label[] {
  const { host, port } = fieldsOf(item);
  return typeof host === 'string' && typeof port === 'number'
    ? [{ label: `${host}:${String(port)}`, path: ['host'] }]
    : [];
}

/** A user and a password, or neither. */
export function requireLogin(fields: SectionFields, report: Report): void {
  const hasPassword = hasSecret('password', fields);
  if (given(fields, 'user') && !hasPassword) report('user', 'expected "passwordFile" or "passwordEnv" beside "user"');
  if (!given(fields, 'user') && hasPassword) report(null, 'expected "user" beside the password');
}

/** Whether a key stands in the section at all. */
export function given(fields: SectionFields, key: string): boolean {
  return fields[key] !== undefined && fields[key] !== null;
}

/** Whether one of the keys `<name>File` and `<name>Env` stands in the section. */
export function hasSecret(name: string, fields: SectionFields): boolean {
  return given(fields, `${name}File`) || given(fields, `${name}Env`);
}

/** The value's keys; none for what is no mapping. */
export function fieldsOf(value: unknown): SectionFields {
  return isMapping(value) ? value : {};
}

export function isMapping(value: unknown): value is SectionFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value's items; none for what is no list. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
