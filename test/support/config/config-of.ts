import type { Config } from '../../../src/config/config.ts';
import { loadText } from './config-machine.ts';

/** Returns the configuration for a text, or for its content. @throws if it contains errors */
export async function configOf(written: string | object): Promise<Config> {
  // JSON is valid YAML.
  const loaded = await loadText(typeof written === 'string' ? written : JSON.stringify(written));
  if (loaded.kind === 'invalid') throw new Error(`Cannot use the configuration: ${JSON.stringify(loaded.issues)}`);
  return loaded.config;
}
