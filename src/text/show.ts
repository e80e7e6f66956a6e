import { visibleText } from '../core/visible-text.ts';

const SHOWN_CHARACTERS = 80;
/** Extends to the last @, because a password can contain @. */
const USER_INFO = /\/\/.*@/su;

/** Returns one line of limited length, without credentials in URLs. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `"${visibleText(value.replace(USER_INFO, '//…@'), SHOWN_CHARACTERS)}"`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return showKind(value);
}

/** Used for values that may be secret. */
export function showKind(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return KINDS.get(typeof value) ?? 'a section';
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['bigint', 'a number'],
  ['boolean', 'true or false'],
]);

export function expectedMessage(expected: string, value: unknown, show = showValue): string {
  if (value === undefined) return `expected ${expected}, but the key is missing`;
  if (value === null) return `expected ${expected}, got nothing; enter a value or remove the key`;
  return `expected ${expected}, got ${show(value)}`;
}
