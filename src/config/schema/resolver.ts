import { isIP } from 'node:net';
import type * as z from 'zod';
import { parseHostPort } from './host-port.ts';
import { textAt, unique } from './rules.ts';
import { filledList } from './section.ts';
import { codedText } from './values.ts';

/** `label` is what the file has. */
export type ResolverConfig =
  | { readonly kind: 'system'; readonly label: 'system' }
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly label: string; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly label: string; readonly url: string };

const resolver: z.ZodType<ResolverConfig> = codedText({
  title: 'resolver',
  expected: '"system", an address (not a name), or a URL that begins with udp://, tcp://, tls:// or https://',
  parse: parseResolver,
  format: ({ label }) => label,
});

export const resolvers = unique(filledList(resolver, 'resolver, such as "system"'), (item) =>
  textAt('label')(item).map(({ label }) => ({ label, path: [] })),
);

const DNS_PORT = 53;
/** RFC 7858 §3.1. */
const DNS_OVER_TLS_PORT = 853;

type SocketKind = 'udp' | 'tcp' | 'tls';

const SOCKET_KINDS: readonly SocketKind[] = ['udp', 'tcp', 'tls'];

/**
 * `system`, an address (asked over UDP), `udp://`, `tcp://`, `tls://` or `https://`. UDP and TCP take addresses only: a
 * resolver that must be resolved first says nothing about itself. null for anything else.
 */
function parseResolver(text: string): ResolverConfig | null {
  if (text === 'system') return { kind: 'system', label: 'system' };
  if (text.startsWith('https://')) return isResolverUrl(text) ? { kind: 'https', label: text, url: text } : null;
  const kind = SOCKET_KINDS.find((scheme) => text.startsWith(`${scheme}://`));
  if (kind === undefined) return overSocket('udp', text, text);
  return overSocket(kind, text, text.slice(`${kind}://`.length).replace(/\/$/u, ''));
}

function overSocket(kind: SocketKind, label: string, endpoint: string): ResolverConfig | null {
  const target = parseHostPort(endpoint, kind === 'tls' ? DNS_OVER_TLS_PORT : DNS_PORT);
  if (target === null || (kind !== 'tls' && isIP(target.host) === 0)) return null;
  return { kind, label, host: target.host, port: target.port };
}

function isResolverUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '' && url.hash === '';
}
