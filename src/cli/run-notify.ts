import { readSecret } from '../system/secret.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { notifyTest } from './notify.ts';
import { loadOrExplain, type Terminal } from './terminal.ts';

export async function runNotifyTest(path: string | undefined, terminal: Terminal): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return EXIT_UNKNOWN;
  return notifyTest(config, { ...terminal, readSecret: (source) => readSecret(source, terminal.env) });
}
