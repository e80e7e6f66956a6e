import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '../../src/config/config.ts';

/** A key of the configuration file, as described by its JSON Schema. */
export interface DescribedKey {
  /** For example `mail[].port`. */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Returns every key with all keys below it, in schema order. */
export function describedKeys(schema: JsonSchema, prefix = ''): readonly DescribedKey[] {
  const required = listAt(schema, 'required');
  return Object.entries(schemaAt(schema, 'properties')).flatMap(([name, child]) => {
    if (!isSchema(child)) return [];
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [{ path, schema: child, required: required.includes(name) }, ...keysBelow(child, path)];
  });
}

function keysBelow(schema: JsonSchema, path: string): readonly DescribedKey[] {
  return variants(schema).flatMap((variant) => {
    const items = variant['items'];
    return isSchema(items) ? keysBelow(items, `${path}[]`) : describedKeys(variant, path);
  });
}

/** Returns the alternatives of a key that can be written in two ways. */
function variants(schema: JsonSchema): readonly JsonSchema[] {
  const alternatives = listAt(schema, 'anyOf').filter((alternative) => isSchema(alternative));
  // An item that can be written without a list has the same keys as the list's items.
  const own = alternatives.filter((one) => !alternatives.some(({ items }) => isDeepStrictEqual(items, one)));
  return own.length === 0 ? [schema] : own;
}

function schemaAt(schema: JsonSchema, key: string): JsonSchema {
  const value = schema[key];
  return isSchema(value) ? value : {};
}

function listAt(schema: JsonSchema, key: string): readonly unknown[] {
  const value = schema[key];
  return Array.isArray(value) ? value : [];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
