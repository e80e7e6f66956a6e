import { authority } from '../core/addresses.ts';
import type { Config } from '../config/config.ts';
import type { TrustConfig } from '../config/schema/watched.ts';
import type { Clock } from '../core/clock.ts';
import type { Baseline, ProductPattern } from '../tls/trust.ts';
import { unconfirmedBaseline } from '../checks/tls-genuine/chain-case.ts';
import { createSignatureChecks, type TrustOptions } from '../tls/chain.ts';
import { createPublicRoots, createTrustLoader, readLearnedTrust } from '../trust/load-trust.ts';
import { loadProducts } from '../trust/products.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';

export interface TlsKnowledgeBase {
  readonly products: readonly ProductPattern[];
  /** Returns the data for a configured target. @throws {RangeError} for a target that is not configured */
  of(target: string): TlsKnowledge;
  /** Like `of`, but treats an unknown target as a host on the public web. */
  ofAny(target: string): TlsKnowledge;
}

const SIGNATURE_CHECKS = { spare: 2_048, perTarget: 8 };

function usable(learned: Baseline | null, options: TrustOptions): Pick<TlsKnowledge, 'baseline' | 'refusedBaseline'> {
  const unconfirmed = learned === null ? null : unconfirmedBaseline(learned, options);
  if (learned === null || unconfirmed === null) return { baseline: learned, refusedBaseline: null };
  return { baseline: null, refusedBaseline: { baseline: learned, unconfirmed } };
}

/** @throws {Error} when a CA file, a product file or the learned trust cannot be read */
export async function loadTlsKnowledge(
  { trust, licenseServer, services }: Config,
  clock: Clock,
): Promise<TlsKnowledgeBase> {
  const loadTrust = createTrustLoader(createPublicRoots());
  const checks = createSignatureChecks(SIGNATURE_CHECKS.spare + SIGNATURE_CHECKS.perTarget * services.length, () =>
    clock.elapsed(),
  );
  const products = await loadProducts(trust.productFiles);
  const { baselines, certificates } = await readLearnedTrust(trust.baselineFile);
  const byTarget = new Map<string, TlsKnowledge>();

  async function learn(target: string, config: Pick<TrustConfig, 'profile' | 'pins' | 'caFiles'>): Promise<void> {
    const vouching = { profile: config.profile, trust: await loadTrust(config), now: clock.now(), checks };
    const learned = usable(baselines.get(target) ?? null, vouching);
    byTarget.set(target, { ...vouching, products, ...learned, pinned: certificates.get(target) ?? null });
  }

  for (const service of services) await learn(authority(service), service.trust);
  await learn(authority(licenseServer), trust);

  const unknownTarget = {
    trust: await loadTrust({ pins: [], caFiles: [] }),
    profile: 'public',
    products,
    checks,
    refusedBaseline: null,
  } as const;

  return {
    products,
    ofAny: (target) => byTarget.get(target) ?? { ...unknownTarget, baseline: baselines.get(target) ?? null },
    of: (target) => {
      const known = byTarget.get(target);
      if (known === undefined) throw new RangeError(`Cannot evaluate "${target}": expected a configured target`);
      return known;
    },
  };
}

export function judgedTargets({ licenseServer, services }: Config): readonly string[] {
  return [licenseServer, ...services].map(authority);
}
