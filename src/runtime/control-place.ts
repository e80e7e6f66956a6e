import { join } from 'node:path';

/** Location of the socket for local commands to the daemon that uses a store. */
export interface ControlPlace {
  readonly socket: string;
  /**
   * Link to the socket. The link is next to the store, where commands look for it. Null if the socket itself is there.
   */
  readonly link: string | null;
}

/**
 * Returns a location in the runtime directory that systemd created for the daemon. Without such a directory, returns a
 * location next to the store.
 */
export function controlPlace(storePath: string, env: NodeJS.ProcessEnv): ControlPlace {
  const besideStore = `${storePath}.sock`;
  const socket = runtimeSocket(env);
  return socket === null ? { socket: besideStore, link: null } : { socket, link: besideStore };
}

/**
 * Returns the socket in the unit's runtime directory (systemd.exec(5)). Returns null if the unit has no runtime
 * directory.
 */
export function runtimeSocket({ RUNTIME_DIRECTORY = '' }: NodeJS.ProcessEnv): string | null {
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return folder === '' ? null : join(folder, 'control.sock');
}
