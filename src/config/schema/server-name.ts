import { isIP } from 'node:net';
import type * as z from 'zod';
import { hostName } from './values.ts';

/** `undefined`: the host's own name. */
export const serverName: z.ZodType<string | null | undefined> = hostName.nullable().optional();

/** RFC 6066 §3 allows no addresses in the hello. */
export function serverNameOf({
  host,
  serverName: given,
}: {
  readonly host: string;
  readonly serverName: string | null | undefined;
}): string | null {
  return given === undefined ? (isIP(host) === 0 ? host : null) : given;
}
