import { hostOf } from '../../core/authority.ts';
import type { Certificate } from '../../core/certificate.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Baseline } from './baseline.ts';
import type { SignatureChecks } from './signature-checks.ts';
import { findChainTrust, type ChainTrustOptions } from './chain-trust.ts';
import type { Trust, TrustProfile } from './trust.ts';

/**
 * The certificate that a chain rests on where neither a configured key nor a public root confirms it; null where one
 * does. An inspecting device's chain looks just like that, whatever names it carries, so a person has to compare this
 * certificate.
 */
export function unconfirmedEnd(
  sent: readonly [Certificate, ...Certificate[]],
  options: Omit<ChainTrustOptions, 'baseline'>,
): Certificate | null {
  const { kind, path } = findChainTrust(sent, { ...options, baseline: null });
  switch (kind) {
    case 'trusted':
    case 'public':
    case 'vendor':
      return null;
    case 'weak':
      // It leads to a trusted key over links that can be forged: nothing above the leaf proves anything.
      return sent[0];
    case 'foreign':
    case 'forged':
    case 'incomplete':
      return path.at(-1) ?? sent[0];
  }
}

export interface ConfirmingOptions {
  readonly profile: TrustProfile;
  readonly trust: Trust;
  readonly now: EpochMs;
  readonly checks: SignatureChecks;
}

/**
 * What a learned chain rests on without anybody's word: no configured key, no public root, and no fingerprint that a
 * person typed when it was learned. Null: somebody confirms all of it. Only the profile `fortinet` asks: it is the
 * one that inspection is looked for under.
 */
export function unconfirmedBaseline(
  baseline: Baseline,
  { profile, ...options }: ConfirmingOptions,
): Certificate | null {
  if (profile !== 'fortinet') return null;
  const ends = baseline.leaves.map((leaf) =>
    unconfirmedEnd([leaf, ...baseline.authorities], {
      ...options,
      profile,
      helpers: [],
      host: hostOf(baseline.target),
    }),
  );
  return ends.find((end) => end !== null && !baseline.accepted.includes(end.fingerprint)) ?? null;
}
