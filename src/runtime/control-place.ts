import { join } from 'node:path';

/** Location of the socket for local commands to the daemon that uses a store. */
export interface ControlPlace {
  readonly socket: string;
  /**
   * Symbolic link to the socket, in the store's directory, where commands expect it. Null if the socket itself is in
   * that directory.
   */
  readonly link: string | null;
}

/**
 * Returns a location in the runtime directory that systemd created for the daemon. If there is no runtime directory,
 * returns a location in the store's directory.
 */
export function controlPlace(storePath: string, env: NodeJS.ProcessEnv): ControlPlace {
  const besideStore = `${storePath}.sock`;
  const socket = runtimeSocket(env);
  return socket === null ? { socket: besideStore, link: null } : { socket, link: besideStore };
}

/**
 * Returns the socket's path in the unit's runtime directory (systemd.exec(5)). Returns null if the unit has no runtime
 * directory.
 */
export function runtimeSocket({ RUNTIME_DIRECTORY = '' }: NodeJS.ProcessEnv): string | null {
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return folder === '' ? null : join(folder, 'control.sock');
}
