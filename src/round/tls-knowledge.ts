import { authority } from '../core/addresses.ts';
import type { Config } from '../config/config.ts';
import type { TrustConfig } from '../config/schema/path.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { type Baseline, labelOfKey, type ProductPattern } from '../tls/trust.ts';
import {
  learnedFlaws,
  type PreviousLeaf,
  type RememberedChain,
  unconfirmedBaseline,
  createFlawMemory,
} from '../checks/tls-genuine/chain-case.ts';
import { createSignatureChecks, type TrustOptions } from '../tls/chain.ts';
import { createPublicRoots, createTrustLoader, readBaselines } from '../trust/load-trust.ts';
import { loadProducts } from '../trust/products.ts';
import { type JudgedTlsPath, type TlsKnowledge, createOpensslWords } from '../checks/tls-genuine/judge-path.ts';
import type { GenuineMemory } from './memory.ts';

export interface TlsKnowledgeBase {
  readonly products: readonly ProductPattern[];
  /** Returns the data for a configured target. @throws {RangeError} for a target that is not configured */
  of(target: string): TlsKnowledge;
  /** Like `of`, but treats an unknown target as a host on the public web. */
  ofAny(target: string): TlsKnowledge;
  /**
   * Keeps the leaf certificates, to detect a different certificate on each connection, and the flaws of accepted
   * chains.
   */
  remember(target: string, judged: JudgedTlsPath, at: EpochMs): void;
  readonly skippedPatterns: readonly string[];
}

/** A target's data that does not change between rounds. */
type OwnKnowledge = Omit<TlsKnowledge, 'previous' | 'remembered'>;

const REMEMBERED_LEAVES = 20;
const CHECKS = { spare: 2_048, perTarget: 8 };

/** Empty data for targets that are checked only occasionally. */
const NOTHING_KEPT: Pick<TlsKnowledge, 'openssl' | 'flaws'> = {
  openssl: { of: () => null, isOpen: () => false, take: () => false, keep: () => undefined },
  flaws: { at: () => null, keep: () => undefined },
};

function usable(learned: Baseline | null, options: TrustOptions): Pick<TlsKnowledge, 'baseline' | 'refusedBaseline'> {
  const unconfirmed = learned === null ? null : unconfirmedBaseline(learned, options);
  if (learned === null || unconfirmed === null) return { baseline: learned, refusedBaseline: null };
  return { baseline: null, refusedBaseline: { baseline: learned, unconfirmed } };
}

interface KnownTarget {
  readonly knowledge: OwnKnowledge;
  readonly leaves: PreviousLeaf[];
}

function keep({ leaves, knowledge }: KnownTarget, { endpoints }: JudgedTlsPath, at: EpochMs): void {
  for (const { endpoint, outcome, judgement } of endpoints) {
    const leaf = outcome.chain?.certificates[0];
    if (leaf !== undefined) leaves.push({ serial: leaf.serial, pin: leaf.pin, at });
    if (judgement.accepted === null) continue;
    const flaws = judgement.accepted.flaws.map(({ kind }) => kind);
    // OpenSSL might find more flaws in a chain that it has not verified.
    const isVerified = outcome.chain !== null && knowledge.openssl.of(outcome.chain) !== null;
    knowledge.flaws.keep(endpoint.address, isVerified ? flaws : [...flaws, 'openssl' as const]);
  }
  leaves.splice(0, Math.max(0, leaves.length - REMEMBERED_LEAVES));
}

/** Returns null unless the chain was verified with a key that is still trusted. */
function recalled(sight: ReturnType<GenuineMemory['of']>, { profile, trust }: OwnKnowledge): RememberedChain | null {
  const label = sight === null ? null : labelOfKey(sight.pin, profile, trust);
  return sight === null || label === null ? null : { at: sight.at, label };
}

/** @throws {Error} when a CA file, a product file or the learned trust cannot be read */
export async function loadTlsKnowledge(
  { trust, licenseServer, services }: Config,
  memory: Pick<GenuineMemory, 'of'>,
  clock: Clock,
): Promise<TlsKnowledgeBase> {
  const loadTrust = createTrustLoader(createPublicRoots());
  const checks = createSignatureChecks(CHECKS.spare + CHECKS.perTarget * services.length);
  const { products, skipped } = await loadProducts(trust.productFiles);
  const baselines = await readBaselines(trust.baselineFile);
  const byTarget = new Map<string, KnownTarget>();

  async function learn(target: string, config: Pick<TrustConfig, 'profile' | 'pins' | 'caFiles'>): Promise<void> {
    const vouching = { profile: config.profile, trust: await loadTrust(config), now: clock.now(), checks };
    const learned = usable(baselines.get(target) ?? null, vouching);
    const flaws = createFlawMemory(learned.baseline === null ? null : learnedFlaws(learned.baseline, vouching));
    const knowledge = { ...vouching, products, ...learned, openssl: createOpensslWords(clock), flaws };
    byTarget.set(target, { knowledge, leaves: [] });
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

  function ofAny(target: string): TlsKnowledge {
    const known = byTarget.get(target);
    return known === undefined
      ? { ...unknownTarget, baseline: baselines.get(target) ?? null, previous: [], remembered: null }
      : { ...known.knowledge, previous: [...known.leaves], remembered: recalled(memory.of(target), known.knowledge) };
  }

  return {
    skippedPatterns: skipped,
    products,
    ofAny,
    of: (target) => {
      if (!byTarget.has(target)) throw new RangeError(`Cannot evaluate "${target}": expected a configured target`);
      return ofAny(target);
    },
    remember: (target, judged, at) => {
      const known = byTarget.get(target);
      if (known !== undefined) keep(known, judged, at);
    },
  };
}

export function judgedTargets({ licenseServer, services }: Config): readonly string[] {
  return [licenseServer, ...services].map(authority);
}
