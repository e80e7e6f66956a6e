import { isIP, isIPv6 } from 'node:net';
import type { HostPort } from '../../core/authority.ts';

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** RFC 1123 labels; an underscore too, which no standard allows and many internal mail servers have. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/iu;
/** `10.0.0.300` is a typo in an address and never a name. */
const NUMERIC_END = /(?:^|\.)\d+$/u;
const BRACKETED = /^\[(?<host>[^\]]+)\](?::(?<port>\d{1,5}))?$/u;
const PLAIN = /^(?<host>[^:]+)(?::(?<port>\d{1,5}))?$/u;

const MAX_PORT = 65_535;

/** A host name or a literal address. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || (HOST_NAME.test(text) && !NUMERIC_END.test(text));
}

/**
 * `host`, `host:port`, `[v6]:port` or a bare IPv6 address; null for anything else, and without a port where there is no
 * default.
 */
export function parseHostPort(text: string, defaultPort: number | null): HostPort | null {
  const parts = splitPort(text);
  if (parts === null || !isHost(parts.host)) return null;
  const port = parts.port ?? defaultPort;
  return port === null || port < 1 || port > MAX_PORT ? null : { host: parts.host, port };
}

/** `address:port` to listen at; port 0 means any free one. */
export function parseListenAddress(text: string): ListenAddress | null {
  const parts = splitPort(text);
  if (parts === null || parts.port === null || parts.port > MAX_PORT) return null;
  return isIP(parts.host) !== 0 || parts.host === 'localhost' ? { address: parts.host, port: parts.port } : null;
}

function splitPort(text: string): { readonly host: string; readonly port: number | null } | null {
  if (isIPv6(text)) return { host: text, port: null };
  const groups = (BRACKETED.exec(text) ?? PLAIN.exec(text))?.groups;
  const host = groups?.['host'];
  if (host === undefined || (text.startsWith('[') && !isIPv6(host))) return null;
  const port = groups?.['port'];
  return { host, port: port === undefined ? null : Number(port) };
}
