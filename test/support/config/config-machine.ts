import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ConfigFiles, type LoadOptions, type LoadResult, loadConfig } from '../../../src/config/load.ts';

/** Set in the environment in which test configurations are loaded. No message and no output may contain this canary. */
export const CANARY = 'hunter2';

/** Every file exists unless its name is empty or contains "missing". The configuration is read from disk. */
const FILES: ConfigFiles = {
  read: async (path) => ({ kind: 'read', bytes: await readFile(path) }),
  exposure: () => Promise.resolve(null),
  problem: (path) => Promise.resolve(path === '' || path.includes('missing') ? 'no such file' : null),
};

/** Returns a machine on which test configurations are loaded. */
export function configMachine(cwd: string): LoadOptions {
  const search = { path: undefined, checkout: null, onCheckoutFile: () => undefined };
  return { ...search, env: { SET_SECRET: CANARY }, hostname: 'watcher', cwd, files: FILES };
}

/** A file without a value. */
const EMPTY_FILE = '# Nothing\n';

/** The folder of configurations from a string. */
export const CONFIG_FOLDER = '/etc/ftm-watch';

/** Loads a configuration from a string. The files that it includes exist and are empty. */
export function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const { path = 'ftm-watch.yaml' } = options;
  const read: ConfigFiles['read'] = (file) => {
    const bytes = new TextEncoder().encode(file === resolve(CONFIG_FOLDER, path) ? text : EMPTY_FILE);
    return Promise.resolve({ kind: 'read', bytes });
  };
  const files: ConfigFiles = { ...FILES, read };
  return loadConfig({ ...configMachine(CONFIG_FOLDER), files, ...options, path });
}
