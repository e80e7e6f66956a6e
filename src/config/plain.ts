import type { SecretSource } from '../system/secret.ts';
import type { MailRelay } from './mail-relay.ts';

/** What a printed configuration consists of. */
export type Plain = string | number | null | readonly Plain[] | { readonly [key: string]: Plain };

/** A mapping of it. */
export type PlainSection = Readonly<Record<string, Plain>>;

export function plainRelay({ password, ...relay }: MailRelay): PlainSection {
  return { ...present({ ...relay }), ...secretOf('password', password) };
}

/** A secret by where it comes from. */
export function secretOf(name: string, source: SecretSource | null): PlainSection {
  if (source === null) return {};
  return source.kind === 'file' ? { [`${name}File`]: source.path } : { [`${name}Env`]: source.name };
}

/** What is not configured is left out. */
export function present(section: PlainSection): PlainSection {
  return Object.fromEntries(Object.entries(section).filter(([, value]) => value !== null));
}
