import type { JsonSchema } from './json-schema.ts';

/** One key of the configuration file, as the JSON Schema describes it. */
export interface KnownKey {
  /** `mail[].port` */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Every key with everything below it, in the order of the schema. @internal */
export function listKeys(schema: JsonSchema, prefix = ''): readonly KnownKey[] {
  const required = listAt(schema, 'required');
  return Object.entries(schemaAt(schema, 'properties')).flatMap(([name, child]) => {
    if (!isSchema(child)) return [];
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [{ path, schema: child, required: required.includes(name) }, ...keysBelow(child, path)];
  });
}

/** The paths of all keys. */
export function allKeyPaths(schema: JsonSchema): readonly string[] {
  return listKeys(schema).map(({ path }) => path);
}

/** The keys that the section at this path takes. */
export function knownKeys(schema: JsonSchema, path: readonly (string | number)[]): readonly string[] {
  const [first, ...rest] = path;
  if (first === undefined) return variants(schema).flatMap((variant) => Object.keys(schemaAt(variant, 'properties')));
  return variants(schema).flatMap((variant) => {
    const child = typeof first === 'number' ? variant['items'] : schemaAt(variant, 'properties')[first];
    return isSchema(child) ? knownKeys(child, rest) : [];
  });
}

function keysBelow(schema: JsonSchema, path: string): readonly KnownKey[] {
  return variants(schema).flatMap((variant) => {
    const items = variant['items'];
    return isSchema(items) ? keysBelow(items, `${path}[]`) : listKeys(variant, path);
  });
}

/** The alternatives of a key that can be written in two ways. */
function variants(schema: JsonSchema): readonly JsonSchema[] {
  const alternatives = listAt(schema, 'anyOf').filter((alternative) => isSchema(alternative));
  return alternatives.length === 0 ? [schema] : alternatives;
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
