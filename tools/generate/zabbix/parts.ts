import { createHash } from 'node:crypto';
import type { Severity } from '../../../src/core/severity.ts';

/** An element of Zabbix's export format 7.0. Only keys whose values differ from their defaults are written. */
export type Element = Readonly<Record<string, unknown>>;

export const GROUP = 'Templates/Applications';

/** Zabbix's severities. */
export const PRIORITIES: Readonly<Record<Severity, string>> = { critical: 'HIGH', warning: 'WARNING', info: 'INFO' };

/** Each poll brings the whole status. All items are extracted from it. */
export const STATUS_KEY = 'ftm.status.get';

/**
 * Returns a UUID that is always the same for the same element. Zabbix recognises elements of a template by their UUIDs,
 * and accepts only version 4.
 */
export function uuidOf(kind: string, name: string): string {
  const digits = createHash('sha256').update(`ftm-watch ${kind} ${name}`).digest('hex').slice(0, 32).split('');
  digits[12] = '4';
  digits[16] = (8 + (Number.parseInt(digits[16] ?? '0', 16) % 4)).toString(16);
  return digits.join('');
}

/** Extracts a part of the document. Before its first round, the daemon answers without one, which is no error. */
export function jsonPath(path: string): Element {
  return orDiscarded({ type: 'JSONPATH', parameters: [path] });
}

/** An item keeps its last value if the step fails. */
export function orDiscarded(step: Element): Element {
  return { ...step, error_handler: 'DISCARD_VALUE' };
}

/** Zabbix runs JavaScript with Duktape (ECMAScript 5.1). The function's argument is `value`. */
export function javaScript(lines: readonly string[]): Element {
  return { type: 'JAVASCRIPT', parameters: [lines.join('\n')] };
}

/** Stores a value only if it differs, and once an hour. */
export const ONLY_CHANGES: Element = { type: 'DISCARD_UNCHANGED_HEARTBEAT', parameters: ['1h'] };

/** What an item has in addition to its place in the template. */
export interface ItemParts {
  readonly key: string;
  readonly name: string;
  readonly description?: string;
  readonly value_type?: 'CHAR' | 'FLOAT' | 'TEXT';
  readonly units?: string;
  readonly history?: string;
  readonly valuemap?: { readonly name: string };
  readonly preprocessing: readonly Element[];
  readonly tags: readonly Element[];
  readonly triggers?: readonly Element[];
}

/** An item, or the prototype of one, whose values come from the status. */
export function dependentItem(kind: 'item' | 'item prototype', parts: ItemParts): Element {
  const { key, name, triggers, ...more } = parts;
  return {
    uuid: uuidOf(kind, key),
    name,
    type: 'DEPENDENT',
    key,
    delay: '0',
    ...(more.value_type === 'TEXT' || more.value_type === 'CHAR' ? { trends: '0' } : {}),
    ...more,
    master_item: { key: STATUS_KEY },
    ...(triggers === undefined ? {} : { [kind === 'item' ? 'triggers' : 'trigger_prototypes']: triggers }),
  };
}

export function tag(name: string, value: string): Element {
  return { tag: name, value };
}

/**
 * Returns a macro for the group of the pattern in the value of a trigger's item: `VALUE` when the problem began,
 * `LASTVALUE` now. Zabbix shows only 20 characters of a value without a function.
 */
export function valueText(pattern: string, when: 'VALUE' | 'LASTVALUE'): string {
  return `{{ITEM.${when}}.regsub("${pattern}", "\\1")}`;
}

/** Returns a condition of a trigger: the item's last value matches the pattern. `^` is the start of any line in it. */
export function matches(item: string, pattern: string): string {
  return `find(${item},,"regexp","${pattern.replaceAll(/[\\"]/gu, String.raw`\$&`)}")=1`;
}
