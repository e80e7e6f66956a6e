import { join } from 'node:path';

/** Where the commands of this machine speak with the daemon of a store. */
export interface ControlPlace {
  readonly socket: string;
  /** Leads to it from beside the store, where commands look; null: it is there itself. */
  readonly link: string | null;
}

/** In the runtime directory that systemd has made for the daemon (systemd.exec(5)), else beside the store. */
export function controlPlace(storePath: string, { RUNTIME_DIRECTORY = '' }: NodeJS.ProcessEnv): ControlPlace {
  const besideStore = `${storePath}.sock`;
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return folder === ''
    ? { socket: besideStore, link: null }
    : { socket: join(folder, 'control.sock'), link: besideStore };
}
