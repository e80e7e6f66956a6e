import { isFaultId } from '../../../src/checks/registry.ts';
import { loadSignatures } from '../../../src/logs/signatures.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';

export function shippedCatalogue(): Promise<SignatureSet> {
  return loadSignatures([], isFaultId);
}
