import type { JsonSchema } from '../../../src/config/config.ts';

/** Values that are passed to Kubernetes unchanged and validated by its own schemas. */
export const KUBERNETES = {
  map: (description: string): JsonSchema => ({ description, type: 'object' }),
  list: (description: string): JsonSchema => ({ description, type: 'array', items: { type: 'object' } }),
} as const;

export const NAME = String.raw`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`;
export const PORT: JsonSchema = { type: 'integer', minimum: 1, maximum: 65_535 };
export const SECRET_KEY = { name: { type: 'string', pattern: NAME }, key: { type: 'string', minLength: 1 } } as const;

export function text(description: string, pattern?: string): JsonSchema {
  return { description, type: 'string', ...(pattern !== undefined && { pattern }) };
}

export function choice(description: string, ...values: readonly string[]): JsonSchema {
  return { description, enum: values };
}

export function flag(description: string): JsonSchema {
  return { description, type: 'boolean' };
}

export function texts(description: string): JsonSchema {
  return { description, type: 'object', additionalProperties: { type: 'string' } };
}

export function names(description: string): JsonSchema {
  return { description, type: 'array', items: { type: 'string', pattern: NAME }, uniqueItems: true };
}

/** Allows no other keys, so that a typo is reported instead of leaving a default in effect. */
export function section(
  description: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { description, type: 'object', properties, additionalProperties: false, required };
}
