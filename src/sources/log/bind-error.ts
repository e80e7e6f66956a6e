import type { ListenAddress } from '../../config/schema/host-port.ts';

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there: stop it, or configure another port and let FortiAuthenticator send there',
  EACCES: 'ports below 1024 need a privilege: use a port above, or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address: use one of its own, or 0.0.0.0 for all',
};

/** Why a port cannot be listened on, and what to do about it. */
export function bindError(what: string, { address, port }: ListenAddress, cause: unknown): Error {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const place = address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
  const advice = ADVICE[code];
  return new Error(
    `Cannot listen for syslog over ${what} on "${place}": ${reason}${advice === undefined ? '' : `; ${advice}`}`,
    { cause },
  );
}
