import { join } from 'node:path';

/** Location of the socket for commands from this machine to the daemon of a store. */
export interface ControlPlace {
  readonly socket: string;
  /** Link to the socket next to the store, where commands look for it; null if the socket itself is there. */
  readonly link: string | null;
}

/** Returns a place in the runtime directory that systemd created for the daemon, otherwise next to the store. */
export function controlPlace(storePath: string, env: NodeJS.ProcessEnv): ControlPlace {
  const besideStore = `${storePath}.sock`;
  const socket = runtimeSocket(env);
  return socket === null ? { socket: besideStore, link: null } : { socket, link: besideStore };
}

/** Returns the socket in the unit's runtime directory (systemd.exec(5)); null if the process has none. */
export function runtimeSocket({ RUNTIME_DIRECTORY = '' }: NodeJS.ProcessEnv): string | null {
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return folder === '' ? null : join(folder, 'control.sock');
}
