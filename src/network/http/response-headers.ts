import type { EpochMs } from '../../core/clock.ts';
import { printable } from '../failure.ts';

/** Header fields by their names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const MAX_SERVER = 128;
const MAX_TRACE = 160;
const MAX_TRACES = 16;

/** IMF-fixdate and asctime-date of RFC 9110 §5.6.7; Date.parse alone would take `1` for a date. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/u;
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/u;

/**
 * Header fields that only forward proxies and filters add: the list of mitmengine
 * (reference_fingerprints/mitmengine/badheader.txt), and Squid's. A content network adds `via` too, so its value is
 * shown.
 */
const TRACE_NAMES: ReadonlySet<string> = new Set([
  'proxy-connection',
  'x-bluecoat-via',
  'x-iwsaas-via',
  'x-mwg-via',
  'x-sophos-wsa-clientip',
  'x-squid-error',
  'x-cache-lookup',
]);

/** The value of a header field, the first where it was sent more than once. */
export function firstHeader(headers: Headers, name: string): string | null {
  const value = headers[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}

/** The instant of an HTTP date; null for anything else. */
export function parseHttpDate(value: string | null): EpochMs | null {
  if (value === null) return null;
  if (IMF_FIXDATE.test(value)) return instant(value);
  // No zone stands in it: GMT is meant, and the machine's own would be taken.
  return ASCTIME_DATE.test(value) ? instant(`${value} GMT`) : null;
}

/** The `Server` field, cut to 128 printable characters. */
export function serverName(headers: Headers): string | null {
  const value = firstHeader(headers, 'server');
  return value === null ? null : printable(value, MAX_SERVER);
}

/** What proxies and filters on the way left in the response, sorted, 16 at most. */
export function proxyTraces(headers: Headers): readonly string[] {
  return Object.keys(headers)
    .filter((name) => isTrace(name, headers))
    .toSorted()
    .slice(0, MAX_TRACES)
    .map((name) => printable(name === 'via' ? `via: ${firstHeader(headers, 'via') ?? ''}` : name, MAX_TRACE));
}

function isTrace(name: string, headers: Headers): boolean {
  if (name === 'via' || TRACE_NAMES.has(name) || name.startsWith('zsa-')) return true;
  // Content networks use the same name for their own caches.
  return name === 'x-cache' && /squid/iu.test(firstHeader(headers, name) ?? '');
}

function instant(text: string): EpochMs | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
