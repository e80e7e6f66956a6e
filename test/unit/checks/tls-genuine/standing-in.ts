import type { Certificate } from '../../../../src/core/certificate.ts';
import {
  createSignatureChecks,
  findChainTrust,
  type ChainTrust,
  type ChainTrustOptions,
} from '../../../../src/tls/chain.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { HOST, type World } from '../../../support/certificates/interception-world.ts';

export interface SentChain extends Partial<Omit<ChainTrustOptions, 'helpers'>> {
  readonly sent: readonly [Identity, ...Identity[]];
  readonly helpers?: readonly Identity[];
}

/** Returns where a chain that is sent for the licence server ends. */
export function standingIn(
  { trust, now }: World,
  { sent: [leaf, ...rest], helpers = [], ...over }: SentChain,
): ChainTrust {
  return findChainTrust([certificateOf(leaf), ...rest.map(certificateOf)], {
    profile: 'fortinet',
    trust,
    baseline: null,
    host: HOST,
    now,
    checks: createSignatureChecks(),
    ...over,
    helpers: helpers.map(certificateOf),
  });
}

export function prints(certificates: readonly Pick<Certificate, 'fingerprint'>[]): readonly string[] {
  return certificates.map(({ fingerprint }) => fingerprint);
}
