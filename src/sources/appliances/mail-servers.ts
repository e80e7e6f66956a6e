import { isIP } from 'node:net';
import { z } from 'zod';
import type { ApplianceMailServer } from '../../core/license/appliance.ts';
import { visibleText } from '../../core/visible-text.ts';
import { cutList } from '../../network/rest/cut-list.ts';
import { hostName, portNumber } from '../../network/rest/host-port.ts';

const MAX_SERVERS = 20;
/** Looked through for the default one. */
const MAX_LISTED = 1000;

/**
 * `/smtpservers/`. zod keeps only the named keys: `authentication_name` and `authentication_password`, which may stand
 * in the answer, end here.
 */
const MAIL_SERVER = z.object({
  address: z.unknown().optional(),
  port: z.unknown().optional(),
  sender_email: z.unknown().optional(),
  secure: z.unknown().optional(),
  default: z.unknown().optional(),
});
const MAIL_SERVERS = z.object({ objects: cutList(MAIL_SERVER, MAX_LISTED) });

type ServerObject = z.infer<typeof MAIL_SERVER>;

/**
 * The servers that the appliance sends through: the default one where one is marked, since others may be leftovers,
 * else all. The appliance's own (`localhost`) cannot be probed from here and is left out. null: not a list.
 */
export function parseMailServers(value: unknown): readonly ApplianceMailServer[] | null {
  const parsed = MAIL_SERVERS.safeParse(value);
  if (!parsed.success) return null;
  const { objects } = parsed.data;
  const defaults = objects.filter((object) => object.default === true || object.default === 'true');
  const used = defaults.length > 0 ? defaults : objects;
  return used.slice(0, MAX_SERVERS).flatMap((object) => mailServer(object) ?? []);
}

function mailServer(object: ServerObject): ApplianceMailServer | null {
  const host = typeof object.address === 'string' ? hostName(object.address) : null;
  if (host === null || isLoopback(host)) return null;
  const port = portNumber(object.port) ?? 25;
  return {
    host,
    port,
    security: securityOf(object.secure, port),
    from: senderOf(object),
    to: null,
    user: null,
    password: null,
    caFile: null,
  };
}

/** Documented are `none` and `starttls`; TLS from the start shows only in the port (RFC 8314 §3.3). */
function securityOf(secure: unknown, port: number): ApplianceMailServer['security'] {
  if (secure === 'starttls') return 'starttls';
  return port === 465 || secure === 'ssl' || secure === 'tls' || secure === 'smtps' ? 'tls' : 'none';
}

function senderOf(object: ServerObject): string | null {
  const sender = object.sender_email;
  return typeof sender === 'string' && /^[^\s@<>]{1,64}@[^\s@<>]{1,255}$/u.test(sender)
    ? visibleText(sender, 320)
    : null;
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.startsWith('localhost.') ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}
