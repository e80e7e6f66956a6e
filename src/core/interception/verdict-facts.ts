import { attributeValues } from '../distinguished-name.ts';
import type { TlsOutcome } from '../observation.ts';
import type { ChainCase, Dates, Identity } from './chain-case.ts';
import type { History } from './baseline.ts';
import { ageOf, type FlawAge } from './judge-flaws.ts';
import type { Signal } from './signal.ts';
import type { Standing } from './standing.ts';
import { trustUnder } from './trust.ts';

/** What the table of verdicts looks at: small closed sets and counts, so that it can be read and tested as a table. */
export interface VerdictFacts {
  readonly standing: Standing['kind'];
  /** The profile takes a chain that ends there: at a trusted key, or at a public root under the profile `public`. */
  readonly accepted: boolean;
  readonly identity: Identity;
  readonly dates: Dates;
  readonly history: History;
  /** An intermediate was not sent, though it is known from elsewhere. */
  readonly gap: boolean;
  readonly profile: 'fortinet' | 'public' | 'pinned';
  /** What TLS clients refuse an accepted chain for, although its signatures are right. */
  readonly flaw: FlawAge;
  /** After the certificate: `cut` when the connection was reset, closed or fell silent; `alert` when the peer said why it ended. */
  readonly ended: 'handshake' | 'alert' | 'cut';
  /** That the chain does not verify speaks for interception. */
  readonly unverified: boolean;
  /** Another path to the same name shows the genuine key. */
  readonly contradicted: boolean;
  /** Independent signals of interception, `unverified` among them. */
  readonly signals: number;
  /** Weak signals that a mere renewal does not explain. */
  readonly hints: number;
}

export function gatherFacts(chain: ChainCase, signals: readonly Signal[]): VerdictFacts {
  const { standing, evidence, identity } = chain;
  const accepted = chain.accepted !== null;
  const strong = signals.filter((signal) => signal.weight === 'strong');
  const unverified = !accepted && isUnverified(chain, strong);
  return {
    standing: standing.kind,
    accepted,
    identity,
    dates: chain.dates,
    history: historyOf(chain),
    gap: chain.gap !== null,
    profile: evidence.profile,
    flaw: ageOf(chain.accepted?.flaws ?? [], evidence.knownFlaws),
    ended: endOf(evidence.outcome),
    unverified,
    // Not by another server name: a server may choose its chain by that.
    contradicted: strong.some((signal) => signal.rule === 'reference-path-agrees' && signal.group === 'reference'),
    signals: new Set(strong.map((signal) => signal.group)).size + (unverified ? 1 : 0),
    hints: signals.filter((signal) => signal.weight === 'weak' && signal.rule !== 'certificate-is-not-brand-new').length,
  };
}

/**
 * A chain that ends at a stranger's root, or that disowns itself, does not verify: that is a signal. A chain that just ends early may
 * lack an intermediate; it counts only once something else says that its issuer is not the vendor. Where nothing at all is trusted,
 * not to verify means nothing.
 */
function isUnverified(chain: ChainCase, strong: readonly Signal[]): boolean {
  switch (chain.standing.kind) {
    case 'foreign':
    case 'forged':
      return isDiscredited(strong) || isAnythingTrusted(chain);
    case 'incomplete':
    case 'weak':
      return isDiscredited(strong);
    case 'public':
    case 'vendor':
      return chain.identity === 'other' || chain.identity === 'device';
    case 'trusted':
      return false;
  }
}

function isDiscredited(strong: readonly Signal[]): boolean {
  return strong.some((signal) => signal.discreditsIssuer);
}

function isAnythingTrusted({ evidence }: ChainCase): boolean {
  const { pins, anchors } = trustUnder(evidence.profile, evidence.trust);
  return evidence.profile !== 'pinned' || evidence.baseline !== null || pins.length + anchors.length > 0;
}

/** Among public authorities a change within one organization (its roots, its intermediates) is everyday business. */
function historyOf({ history, standing, evidence }: ChainCase): History {
  const root = standing.kind === 'public' ? standing.path.at(-1) : undefined;
  if (history !== 'other-authority' || root === undefined) return history;
  const organizations = new Set((evidence.baseline?.authorities ?? []).flatMap((authority) => attributeValues(authority.subject, 'O')));
  return attributeValues(root.subject, 'O').some((organization) => organizations.has(organization)) ? 'same-authority' : history;
}

function endOf(outcome: TlsOutcome): VerdictFacts['ended'] {
  if (outcome.kind !== 'failed') return 'handshake';
  if (outcome.alert !== null) return 'alert';
  return ['reset', 'closed', 'timeout', 'protocol'].includes(outcome.reason) ? 'cut' : 'handshake';
}
