import type { Config } from '../config/config.ts';
import type { Needs } from '../config/named.ts';
import { createAttribution, NO_OTHERS } from '../sources/log/attribution.ts';
import { isFaultId } from '../checks/registry.ts';
import { loadSignatures } from '../sources/log/signatures.ts';
import { explain } from './explain.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { replay } from './replay.ts';
import { loadOrExplain, type Invocation } from './terminal.ts';

const neededToRecognise: Needs = (key) => key === 'logs.signatureFiles';

export async function runExplain(
  { lines, json }: { readonly lines: readonly string[]; readonly json: boolean },
  terminal: Invocation,
): Promise<number> {
  const config = await loadOrExplain(terminal, neededToRecognise);
  return config === null ? EXIT_UNKNOWN : explain({ ...terminal, ...(await recognition(config)), lines, json });
}

export async function runReplay(
  { file, json }: { readonly file: string; readonly json: boolean },
  terminal: Invocation,
): Promise<number> {
  const config = await loadOrExplain(terminal, neededToRecognise);
  if (config === null) return EXIT_UNKNOWN;
  return replay({ ...terminal, ...(await recognition(config)), file, json });
}

async function recognition({ logs, appliances, licenseServer }: Config) {
  return {
    signatures: await loadSignatures(logs.signatureFiles, isFaultId),
    attribution: createAttribution(appliances, NO_OTHERS),
    watched: { hosts: [licenseServer.host], addresses: licenseServer.expectedAddresses },
  };
}
