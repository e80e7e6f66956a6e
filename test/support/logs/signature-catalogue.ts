import type { FaultId } from '../../../src/checks/registry.ts';
import { loadSignatures } from '../../../src/logs/signatures.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';

/** Does not look up the causes, so that these tests do not depend on all checks. `signatures.test.ts` does. */
export function shippedCatalogue(): Promise<SignatureSet> {
  return loadSignatures([], (id): id is FaultId => id !== '');
}
