import { createFlawMemory } from '../../../src/checks/tls-genuine/chain-case.ts';
import { type TlsKnowledge, createOpensslWords } from '../../../src/checks/tls-genuine/judge-path.ts';
import { createSignatureChecks } from '../../../src/tls/chain.ts';
import type { World } from './interception-world.ts';

/** Returns the knowledge for judging a chain if nothing was learned or seen before. */
export function freshKnowledge({ trust, now }: Pick<World, 'trust' | 'now'>): TlsKnowledge {
  return {
    trust,
    profile: 'fortinet',
    products: [],
    baseline: null,
    refusedBaseline: null,
    openssl: createOpensslWords({ now: () => now }),
    flaws: createFlawMemory(null),
    checks: createSignatureChecks(),
  };
}
