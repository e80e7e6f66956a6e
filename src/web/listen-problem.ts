import type { ListenAddress } from '../config/schema/host-port.ts';
import { authority } from '../core/authority.ts';

/** Why the status page cannot listen, and what to do. */
export function listenProblem({ address, port }: ListenAddress, error: unknown): string {
  const why = error instanceof Error ? reason(error) : String(error);
  return `Cannot serve the status page on "${authority({ host: address, port })}": ${why}`;
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  return REASONS.get(code ?? '') ?? `${message}; set web.listen to an address and a free port of this machine`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there (another ftm-watch?); stop it, or set web.listen to a free port'],
  ['EACCES', 'this user may not; set web.listen to a port above 1023'],
  [
    'EADDRNOTAVAIL',
    'this machine does not have that address; set web.listen to one of its own, or to 0.0.0.0 for all of them',
  ],
]);
