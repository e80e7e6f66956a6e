import { isIP } from 'node:net';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, an IPv6 address in brackets: what the configuration reads back. */
export function authority({ host, port }: HostPort): string {
  return isIP(host) === 6 ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

/** The host of `host:port`, without the brackets of an IPv6 address. */
export function hostOf(target: string): string {
  const bracketed = /^\[([^\]]*)\]/u.exec(target);
  return bracketed === null ? target.replace(/:[^:]*$/u, '') : (bracketed[1] ?? '');
}

/** The port of `host:port`, as it is written. */
export function portOf(target: string): string {
  return target.slice(target.lastIndexOf(':') + 1);
}

/** A host name to compare: names differ neither by case nor by the dot of the root. */
export function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/u, '');
}

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/u;

/** Whether the URL leads to this machine. */
export function isLoopbackUrl(text: string): boolean {
  return LOOPBACK.test(URL.parse(text)?.hostname ?? '');
}
