import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '../../src/config/config.ts';

/** One key of the configuration file as its JSON Schema describes it. */
export interface DescribedKey {
  /** `mail[].port` */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Every key with everything below it, in the order of the schema. */
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

/** The alternatives of a key that can be written in two ways. */
function variants(schema: JsonSchema): readonly JsonSchema[] {
  const alternatives = listAt(schema, 'anyOf').filter((alternative) => isSchema(alternative));
  // What may stand by itself instead of in a list has the same keys.
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
