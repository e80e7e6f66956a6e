import { readFile } from 'node:fs/promises';
import { type ConfigFiles, type LoadOptions, type LoadResult, loadConfig } from '../../src/config/load.ts';

/**
 * Set in the environment that test configurations are loaded in, and the canary that no message and no print may show.
 */
export const CANARY = 'hunter2';

/** Every file is there but for names that are empty or hold "missing"; the configuration is read from the disk. */
const FILES: ConfigFiles = {
  read: async (path) => ({ kind: 'read', bytes: await readFile(path) }),
  problem: (path) => Promise.resolve(path === '' || path.includes('missing') ? 'no such file' : null),
};

/** A machine on which the configurations under test are loaded. */
export function configMachine(cwd: string): LoadOptions {
  return { path: undefined, env: { SET_SECRET: CANARY }, hostname: 'watcher', cwd, files: FILES };
}

/** Without a value. */
const EMPTY_FILE = '# Nothing\n';

/** Loads a configuration given as text; the files that it includes are there and empty. */
export function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const read: ConfigFiles['read'] = (path) => {
    const bytes = new TextEncoder().encode(path.endsWith('/ftm-watch.yaml') ? text : EMPTY_FILE);
    return Promise.resolve({ kind: 'read', bytes });
  };
  const files: ConfigFiles = { ...FILES, read };
  return loadConfig({ ...configMachine('/etc/ftm-watch'), path: 'ftm-watch.yaml', files, ...options });
}
