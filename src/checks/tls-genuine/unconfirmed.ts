import { hostOf } from '../../core/authority.ts';
import type { Certificate, SentChain } from '../../core/certificate.ts';
import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import { dayText } from '../../core/instant-text.ts';
import type { Finding } from '../../engine/finding.ts';
import { called, inFull } from './called.ts';
import type { Baseline } from './baseline.ts';
import { findChainTrust, type ChainTrustOptions, type TrustOptions } from './chain-trust.ts';

/** What was learned, and the certificate in it that a person would have to confirm. */
export interface RefusedBaseline {
  readonly baseline: Baseline;
  readonly unconfirmed: Certificate;
}

/**
 * The certificate that a chain rests on where neither a configured key nor a public root confirms it; null where one
 * does. An inspecting device's chain looks just like that, whatever names it carries, so a person has to compare this
 * certificate.
 */
export function unconfirmedEnd(sent: SentChain, options: Omit<ChainTrustOptions, 'baseline'>): Certificate | null {
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

/**
 * What a learned chain rests on without anybody's word: no configured key, no public root, and no fingerprint that a
 * person typed when it was learned. Null: somebody confirms all of it. Only the profile `fortinet` asks: it is the
 * one that inspection is looked for under.
 */
export function unconfirmedBaseline(baseline: Baseline, options: TrustOptions): Certificate | null {
  if (options.profile !== 'fortinet') return null;
  const ends = baseline.leaves.map((leaf) =>
    unconfirmedEnd([leaf, ...baseline.authorities], { ...options, helpers: [], host: hostOf(baseline.target) }),
  );
  return ends.find((end) => end !== null && !baseline.accepted.includes(end.fingerprint)) ?? null;
}

/** What was learned is not used, but the one who learned it believes that it is. */
export function refusedBaselineFindings(subject: string, refused: RefusedBaseline | null): readonly Finding[] {
  if (refused === null) return [];
  return [
    {
      rule: 'learned-trust-is-confirmed',
      subject,
      expected:
        'A learned chain under a configured key or a public authority, or one whose fingerprint was typed when it ' +
        'was learned',
      claim:
        `The chain learned on ${dayText(refused.baseline.learnedAt)} rests on ${called(refused.unconfirmed.subject)}, ` +
        'which nobody confirmed, so it is not used.',
      actual: describeRefused(refused),
      fullNames: inFull(refused.unconfirmed.subject),
      level: 'warning',
      suggests: null,
    },
  ];
}

/** As in `learned on 2026-11-24, rests on O=…, SHA-256 AA:…`. */
export function describeRefused({ baseline, unconfirmed }: RefusedBaseline): string {
  const name = formatDistinguishedName(unconfirmed.subject);
  return (
    `What was learned on ${dayText(baseline.learnedAt)} rests on ${name} (SHA-256 ${unconfirmed.fingerprint}) ` +
    'and is not used; ' +
    '"ftm-watch trust learn" says more'
  );
}
