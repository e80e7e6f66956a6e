import type { Config } from '../../../src/config/config.ts';
import { loadText } from './config-machine.ts';

/** Returns the configuration for a string. @throws if it contains errors */
export async function configOf(text: string): Promise<Config> {
  const loaded = await loadText(text);
  if (loaded.kind === 'invalid') throw new Error(`Cannot use the configuration: ${JSON.stringify(loaded.issues)}`);
  return loaded.config;
}
