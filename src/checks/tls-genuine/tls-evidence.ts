import type { CapturedChain, Certificate } from '../../core/certificate.ts';
import type { Confidence } from '../../engine/cause.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { CloserLook } from '../../core/closer-look.ts';
import type { Finding } from '../../engine/finding.ts';
import type { OpensslWord, TlsOutcome } from '../../core/observation.ts';
import type { Baseline } from './baseline.ts';
import type { Flaw, FlawKind } from './chain-flaws.ts';
import type { ProductPattern } from './product.ts';
import type { Trust, TrustProfile } from './trust.ts';

/** What a client that trusts the end of a chain would say of the rest of it. */
export interface TrustedPath {
  /** The certificate that is trusted: as it is held here, else as it was sent. */
  readonly end: Certificate;
  readonly flaws: readonly Flaw[];
}

/** What the chains of a target are judged by, apart from what this round shows. */
export interface TlsGrounds {
  readonly trust: Trust;
  readonly profile: TrustProfile;
  readonly products: readonly ProductPattern[];
  readonly baseline: Baseline | null;
  /** Leaves that the same target showed lately. */
  readonly previous: readonly PreviousLeaf[];
  /**
   * When this program last verified the target itself, under a key that is still configured; null: never, or not
   * remembered.
   */
  readonly remembered: RememberedChain | null;
}

/** Everything that one judgement about one address of one target rests on. */
export interface TlsEvidence extends TlsGrounds {
  /** `host:port`, as configured. */
  readonly target: string;
  /** The SNI that was sent; null: none. */
  readonly serverName: string | null;
  readonly outcome: TlsOutcome;
  /** What more was asked of this address, because TLS to it is blocked. */
  readonly closer?: CloserLook;
  /** Chains of control hosts, captured in the same round. May be empty: then one signal is missing. */
  readonly controls: readonly ControlChain[];
  readonly references: readonly ReferenceChain[];
  /**
   * What OpenSSL said of this very chain, with the trusted end of it for an anchor; null: not asked, or there was no
   * way to hear it.
   */
  readonly openssl: OpensslWord | null;
  /** Flaws that every accepted chain at this address had, the learned one too; null: there was none before. */
  readonly knownFlaws: readonly FlawKind[] | null;
  /** Names of headers that only proxies and filters add, in the answer on the same connection. */
  readonly traces: readonly string[];
  /** Already corrected when this machine's own clock is known to be wrong. */
  readonly now: EpochMs;
}

export interface ControlChain {
  /** `host:port` */
  readonly target: string;
  readonly chain: CapturedChain;
}

/**
 * The same target looked at another way. `resolver`: at an address that only another resolver gave; `address`: at
 * another of its addresses; `proxy`: over another path; `server-name`: at the same address with another SNI;
 * `tls-version`: at the same address in another version of TLS, since a device may inspect one of them alone.
 */
export interface ReferenceChain {
  readonly label: string;
  readonly kind: 'resolver' | 'address' | 'proxy' | 'server-name' | 'tls-version';
  readonly chain: CapturedChain;
}

export interface RememberedChain {
  readonly at: EpochMs;
  /** Whose key it ended at, for a person. */
  readonly label: string;
}

export interface PreviousLeaf {
  readonly serial: string;
  readonly pin: string;
  readonly at: EpochMs;
}

/** Worst first: the order in which the addresses of one target are combined. */
export const VERDICTS = [
  'intercepted',
  'interception-suspected',
  'blocked',
  'certificate-broken',
  'unknown',
  'vendor-ca-changed',
  'rotated',
  'genuine',
] as const;

export type Verdict = (typeof VERDICTS)[number];

export interface TlsJudgement {
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  /** The inspecting product, where the catalogue or the certificate itself names it. */
  readonly product: string | null;
  readonly findings: readonly Finding[];
  /** One sentence. */
  readonly summary: string;
  /** What would settle it; null where the answer is plain. */
  readonly wouldSettle: string | null;
  /** The authorities above the leaf that were found by signature, nearest first. */
  readonly authorities: readonly Certificate[];
  /** Null: the chain leads to no key that the profile takes. */
  readonly accepted: TrustedPath | null;
  /** Pin of the configured key that a genuine chain ends at; null for any other. */
  readonly verifiedBy: string | null;
}
