import { join } from 'node:path';

/** Where the commands of this machine speak with the daemon of a store. */
export interface ControlPlace {
  readonly socket: string;
  /** Leads to it from beside the store, where commands look; null: it is there itself. */
  readonly link: string | null;
}

/** In the runtime directory that systemd has made for the daemon, else beside the store. */
export function controlPlace(storePath: string, env: NodeJS.ProcessEnv): ControlPlace {
  const besideStore = `${storePath}.sock`;
  const socket = runtimeSocket(env);
  return socket === null ? { socket: besideStore, link: null } : { socket, link: besideStore };
}

/** In the runtime directory of the unit (systemd.exec(5)); null: the process belongs to no unit that has one. */
export function runtimeSocket({ RUNTIME_DIRECTORY = '' }: NodeJS.ProcessEnv): string | null {
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return folder === '' ? null : join(folder, 'control.sock');
}
