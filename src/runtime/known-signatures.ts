import type { SignatureSet } from '../core/polling/signature.ts';
import { loadSignatures } from '../logs/signatures.ts';

/**
 * Only signatures in these files can name an unknown cause. Without files, the checks are not loaded, which saves a
 * command a fifth of its CPU time.
 * @throws {Error} as in `loadSignatures`
 */
export async function loadKnownSignatures(files: readonly string[]): Promise<SignatureSet> {
  const isCause = files.length === 0 ? () => true : (await import('../checks/registry.ts')).isFaultId;
  return loadSignatures(files, isCause);
}
