import { authority } from '../core/addresses.ts';
import type { Config } from '../config/config.ts';
import type { TrustConfig } from '../config/schema/watched.ts';
import type { Clock } from '../core/clock.ts';
import type { Baseline, ProductPattern } from '../tls/trust.ts';
import { learnedFlaws, unconfirmedBaseline, createFlawMemory } from '../checks/tls-genuine/chain-case.ts';
import { createSignatureChecks, type TrustOptions } from '../tls/chain.ts';
import { createPublicRoots, createTrustLoader, readBaselines } from '../trust/load-trust.ts';
import { loadProducts } from '../trust/products.ts';
import { type JudgedTlsPath, type TlsKnowledge, createOpensslWords } from '../checks/tls-genuine/judge-path.ts';

export interface TlsKnowledgeBase {
  readonly products: readonly ProductPattern[];
  /** Returns the data for a configured target. @throws {RangeError} for a target that is not configured */
  of(target: string): TlsKnowledge;
  /** Like `of`, but treats an unknown target as a host on the public web. */
  ofAny(target: string): TlsKnowledge;
  rememberFlaws(target: string, judged: JudgedTlsPath): void;
  readonly skippedPatterns: readonly string[];
}

const SIGNATURE_CHECKS = { spare: 2_048, perTarget: 8 };

/** Used for targets that are checked only occasionally, for which no data is kept. */
const NOTHING_KEPT: Pick<TlsKnowledge, 'openssl' | 'flaws'> = {
  openssl: { of: () => null, isOpen: () => false, take: () => false, keep: () => undefined },
  flaws: { at: () => null, keep: () => undefined },
};

function usable(learned: Baseline | null, options: TrustOptions): Pick<TlsKnowledge, 'baseline' | 'refusedBaseline'> {
  const unconfirmed = learned === null ? null : unconfirmedBaseline(learned, options);
  if (learned === null || unconfirmed === null) return { baseline: learned, refusedBaseline: null };
  return { baseline: null, refusedBaseline: { baseline: learned, unconfirmed } };
}

function keepFlaws(knowledge: TlsKnowledge, { endpoints }: JudgedTlsPath): void {
  for (const { endpoint, outcome, judgement } of endpoints) {
    if (judgement.accepted === null) continue;
    const flaws = judgement.accepted.flaws.map(({ kind }) => kind);
    // OpenSSL might find more flaws in a chain that it has not verified.
    const isVerified = outcome.chain !== null && knowledge.openssl.of(outcome.chain) !== null;
    knowledge.flaws.keep(endpoint.address, isVerified ? flaws : [...flaws, 'openssl' as const]);
  }
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
  const { products, skipped } = await loadProducts(trust.productFiles);
  const baselines = await readBaselines(trust.baselineFile);
  const byTarget = new Map<string, TlsKnowledge>();

  async function learn(target: string, config: Pick<TrustConfig, 'profile' | 'pins' | 'caFiles'>): Promise<void> {
    const vouching = { profile: config.profile, trust: await loadTrust(config), now: clock.now(), checks };
    const learned = usable(baselines.get(target) ?? null, vouching);
    const flaws = createFlawMemory(learned.baseline === null ? null : learnedFlaws(learned.baseline, vouching));
    const knowledge = { ...vouching, products, ...learned, openssl: createOpensslWords(clock), flaws };
    byTarget.set(target, knowledge);
  }

  for (const service of services) await learn(authority(service), service.trust);
  await learn(authority(licenseServer), trust);

  const unknownTarget = {
    trust: await loadTrust({ pins: [], caFiles: [] }),
    profile: 'public',
    products,
    checks,
    refusedBaseline: null,
    ...NOTHING_KEPT,
  } as const;

  return {
    skippedPatterns: skipped,
    products,
    ofAny: (target) => byTarget.get(target) ?? { ...unknownTarget, baseline: baselines.get(target) ?? null },
    of: (target) => {
      const known = byTarget.get(target);
      if (known === undefined) throw new RangeError(`Cannot evaluate "${target}": expected a configured target`);
      return known;
    },
    rememberFlaws: (target, judged) => {
      const known = byTarget.get(target);
      if (known !== undefined) keepFlaws(known, judged);
    },
  };
}

export function judgedTargets({ licenseServer, services }: Config): readonly string[] {
  return [licenseServer, ...services].map(authority);
}
