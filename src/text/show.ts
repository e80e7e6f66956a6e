import { visibleText } from '../core/visible-text.ts';

const SHOWN_CHARACTERS = 80;
/** Up to the last @: a password may hold any character, another @ included. */
const USER_INFO = /\/\/.*@/su;

/** A wrong value as a message names it: bounded, on one line, and without what stands before the @ of a URL. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `"${visibleText(value.replace(USER_INFO, '//…@'), SHOWN_CHARACTERS)}"`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return showKind(value);
}

/** What sort of value it is, for values that may be secrets. */
function showKind(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return KINDS.get(typeof value) ?? 'a section';
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['bigint', 'a number'],
  ['boolean', 'true or false'],
]);

/** The one form of most messages. A missing value is `undefined`. */
export function expectedMessage(expected: string, value: unknown): string {
  return saying(expected, value, showValue);
}

/** The same for values that may be secrets: their sort and never the value. */
export function expectedSecretMessage(expected: string, value: unknown): string {
  return saying(expected, value, showKind);
}

function saying(expected: string, value: unknown, show: (value: unknown) => string): string {
  if (value === undefined) return `expected ${expected}, but the key is missing`;
  if (value === null) return `expected ${expected}, got nothing: give it a value or remove the key`;
  return `expected ${expected}, got ${show(value)}`;
}
