import { hostOf } from '../../core/authority.ts';
import { type Certificate, chainKey, isInDate } from '../../core/certificate.ts';
import type { Baseline } from './baseline.ts';
import { endFlaws, type Flaw, type FlawKind, lastingFlaws } from './chain-flaws.ts';
import type { SignatureChecks } from './signature-checks.ts';
import { findChainTrust, type ChainTrust, type ChainTrustOptions } from './chain-trust.ts';
import type { TlsEvidence, TrustedPath } from './tls-evidence.ts';

type FlawEvidence = Pick<TlsEvidence, 'profile' | 'openssl' | 'now' | 'trust' | 'baseline'>;

/** Null: the chain leads to no key that the profile takes. */
export function judgeFlaws(
  chainTrust: ChainTrust,
  evidence: FlawEvidence,
  checks: SignatureChecks,
): TrustedPath | null {
  const { profile, openssl, now } = evidence;
  const last = chainTrust.path.at(-1);
  const isAccepted = chainTrust.kind === 'trusted' || (chainTrust.kind === 'public' && profile === 'public');
  if (last === undefined || !isAccepted) return null;
  const held = heldCopy(last, evidence);
  const end = held ?? last;
  const path = [...chainTrust.path.slice(0, -1), end];
  // Of a key that is known by its hash alone, clients may hold a newer certificate.
  const own = [...ownFlaws(path, checks), ...(held === null ? [] : endFlaws(path, now))];
  if (openssl === null) return { end, flaws: own };
  // It was asked when the chain was new: an authority may have expired since.
  if (openssl.refusal === null) return { end, flaws: own.filter(({ kind }) => kind === 'authority-out-of-date') };
  const { refusal } = openssl;
  const refused: Flaw = {
    kind: 'openssl',
    text: `OpenSSL refuses it: ${refusal}`,
    claim: `OpenSSL refuses the certificate: ${refusal}.`,
    fullNames: [],
  };
  return { end, flaws: own.length > 0 ? own : [refused] };
}

/**
 * A server may send an old copy of an authority whose key is held in a newer certificate: clients take the one that
 * they hold.
 */
function heldCopy(end: Certificate, { trust, baseline, now }: FlawEvidence): Certificate | null {
  const anchors = trust.anchors.map(({ certificate }) => certificate);
  const held = [...anchors, ...trust.publicRoots.bySubject(end.subject), ...(baseline?.authorities ?? [])];
  const copies = held.filter(({ pin }) => pin === end.pin);
  return copies.find((copy) => isInDate(copy, now)) ?? copies[0] ?? null;
}

function ownFlaws(path: readonly Certificate[], checks: SignatureChecks): readonly Flaw[] {
  const key = `sound ${chainKey(path)}`;
  return checks.once(key, () => lastingFlaws(path).length === 0) ? [] : lastingFlaws(path);
}

/** Flaws that the learned chain had. What OpenSSL would have said of it beyond our own rules is not known. */
export function learnedFlaws(
  baseline: Baseline,
  options: Omit<ChainTrustOptions, 'baseline' | 'helpers' | 'host'>,
): readonly FlawKind[] {
  const host = hostOf(baseline.target);
  const found = baseline.leaves.flatMap((leaf) => {
    const chainTrust = findChainTrust([leaf, ...baseline.authorities], { ...options, baseline, helpers: [], host });
    return judgeFlaws(chainTrust, { ...options, baseline, openssl: null }, options.checks)?.flaws ?? [];
  });
  return [...new Set<FlawKind>([...found.map(({ kind }) => kind), 'openssl'])];
}

/**
 * `old`: the chain always had it, as far as is known; nobody has seen the vendor's real chain, and a flaw that does no
 * harm must not be called a fault. `new`: an accepted chain was seen here, or learned, that did not have it.
 */
export type FlawAge = 'none' | 'old' | 'new';

export function ageOf(flaws: readonly Flaw[], known: readonly FlawKind[] | null): FlawAge {
  if (flaws.length === 0) return 'none';
  return known === null || flaws.every(({ kind }) => known.includes(kind)) ? 'old' : 'new';
}
