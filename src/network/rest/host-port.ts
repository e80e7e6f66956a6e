import { isIP } from 'node:net';
import { lenientCount } from './lenient-number.ts';

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/u;

/** A host name or address out of somebody else's settings, in lower case; null when it is none. */
export function hostName(text: string): string | null {
  const host = text.trim().toLowerCase();
  return HOST_NAME.test(host) || isIP(host) !== 0 ? host : null;
}

/** A port out of somebody else's settings, a number or digits; null when it is none. */
export function portNumber(value: unknown): number | null {
  const port = lenientCount(value);
  return port !== null && port >= 1 && port <= 65_535 ? port : null;
}
