import type { Plain } from '../config/print.ts';
import type { Mask } from '../text/mask.ts';

/** Keys whose value is an account: nobody who reads a report needs it, and it is half of a login. */
const ACCOUNT_KEYS: ReadonlySet<string> = new Set(['user', 'accountId']);
const PLACE = '<user>';

type Section = Readonly<Record<string, Plain>>;

/** The configuration without names of accounts and people. It holds no secret from the start. */
export function configurationWithoutPeople(configuration: Section, mask: Mask): Section {
  return withoutPeople('', configuration, mask);
}

/** The names of accounts in it. */
export function accountsIn(configuration: Section): readonly string[] {
  return [...new Set(accountsOf('', configuration))];
}

function accountsOf(key: string, value: Plain): readonly string[] {
  if (value === null || typeof value !== 'object') return [];
  if (isList(value)) return value.flatMap((item) => accountsOf(key, item));
  return Object.entries(value).flatMap(([name, inner]) =>
    isAccount(key, name) && typeof inner === 'string' ? [inner] : accountsOf(name, inner),
  );
}

/** @param section that the key stands in: of the page's users, `name` is what they log in with */
function isAccount(section: string, key: string): boolean {
  return ACCOUNT_KEYS.has(key) || (section === 'users' && key === 'name');
}

function withoutPeople(key: string, section: Section, mask: Mask): Section {
  return Object.fromEntries(
    Object.entries(section).map(([name, value]) => [name, isAccount(key, name) ? PLACE : without(name, value, mask)]),
  );
}

function without(key: string, value: Plain, mask: Mask): Plain {
  if (typeof value === 'string') return mask.mailAddresses(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  return isList(value) ? value.map((item) => without(key, item, mask)) : withoutPeople(key, value, mask);
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
