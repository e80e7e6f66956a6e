import type { TlsKnowledge } from '../../../src/checks/tls-genuine/judge-path.ts';
import { createSignatureChecks } from '../../../src/tls/chain.ts';
import type { World } from './interception-world.ts';

/** Returns the knowledge for judging a chain if nothing was learned or seen before. */
export function freshKnowledge({ trust }: Pick<World, 'trust'>): TlsKnowledge {
  return {
    trust,
    profile: 'fortinet',
    products: [],
    baseline: null,
    refusedBaseline: null,
    checks: createSignatureChecks(),
  };
}
