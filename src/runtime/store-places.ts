import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { jsonFile, type JsonFile } from '../system/json-file.ts';

export interface ControlPlace {
  readonly storePath: string;
  readonly socket: string;
  /** A symbolic link to the socket in the store's directory, where commands look for the socket. */
  readonly link: string | null;
}

/**
 * If systemd created a runtime directory for the daemon (systemd.exec(5)), the socket is there. Otherwise, it is next
 * to the store.
 */
export function controlPlace(storePath: string, env: NodeJS.ProcessEnv): ControlPlace {
  const besideStore = `${storePath}.sock`;
  const socket = runtimeSocket(env);
  return socket === null ? { storePath, socket: besideStore, link: null } : { storePath, socket, link: besideStore };
}

export function runtimeSocket({ RUNTIME_DIRECTORY = '' }: NodeJS.ProcessEnv): string | null {
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return folder === '' ? null : join(folder, 'control.sock');
}

/** State files are next to the store. */
export function stateFile({ store }: Pick<Config, 'store'>, name: string): string {
  return join(dirname(store.path), name);
}

/** The registration service's answers. Version 0.1 stored the budget for calls in another file. */
export function registrationFile(config: Pick<Config, 'store'>): JsonFile {
  const file = jsonFile(stateFile(config, 'registration.json'));
  const former = jsonFile(stateFile(config, 'registration-budget.json'));
  return { ...file, load: async () => (await file.load()) ?? former.load() };
}
