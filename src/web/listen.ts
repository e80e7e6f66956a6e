import type { ListenOptions, Server } from 'node:net';
import type { ListenAddress } from '../config/schema/section.ts';
import { authority } from '../core/addresses.ts';

/** @throws {Error} with instructions if the port cannot be opened */
export async function openPort<T>(
  { address, port }: ListenAddress,
  open: (where: ListenOptions) => Promise<T>,
): Promise<T> {
  try {
    return await open({ host: address, port });
  } catch (error) {
    throw new Error(listenProblem({ address, port }, error), { cause: error });
  }
}

export function listening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function listenProblem({ address, port }: ListenAddress, error: unknown): string {
  const why = error instanceof Error ? reason(error) : String(error);
  return `Cannot serve the status page on "${authority({ host: address, port })}": ${why}`;
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  return REASONS.get(code ?? '') ?? `${message}; set web.listen to an address and a free port of this machine`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  [
    'EADDRINUSE',
    'the port is in use by another program (possibly another ftm-watch); ' +
      'stop that program, or set web.listen to a free port',
  ],
  ['EACCES', 'permission denied; set web.listen to a port above 1023'],
  [
    'EADDRNOTAVAIL',
    'this machine does not have this address; ' +
      'set web.listen to an address of this machine, or to 0.0.0.0 for all addresses',
  ],
]);
