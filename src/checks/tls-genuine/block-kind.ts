import type { Confidence } from '../../engine/cause.ts';
import type { Millis } from '../../core/clock.ts';
import type { CloserLook } from '../../core/closer-look.ts';
import { leastRoundTrip } from '../../core/round-trip.ts';
import type { BlockedTlsKind } from './blocked-tls.ts';
import { endingOf, isBlocked, type Ending } from '../../core/blocked-outcome.ts';
import type { TlsOutcome } from '../../core/observation.ts';

/** What is known about a handshake that ended before any certificate. */
export interface BlockFacts {
  readonly ending: Ending;
  /** A block page came in plain text. */
  readonly page: boolean;
  /** The answer came faster than the server's could have. */
  readonly nearer: boolean;
  /** The peer says itself that it does not know the name: a filter does not say so. */
  readonly nameRefused: boolean;
  readonly again: Look;
  readonly otherName: Look;
  /** A hello that can only be refused was refused. */
  readonly smallAnswered: boolean;
  /** Control hosts that ended in the same way; 0 as soon as one of them did not. */
  readonly controlsAlike: number;
}

/** `open`: not asked, or our own trouble. */
export type Look = 'passes' | 'blocked' | 'open';

export interface BlockRule {
  readonly when: string;
  readonly holds: (facts: BlockFacts) => boolean;
  /** Null: the kind is not known. */
  readonly kind: BlockedTlsKind | null;
  readonly confidence: Confidence;
}

const isNamed = ({ otherName, again, nameRefused }: BlockFacts): boolean =>
  otherName === 'passes' && again !== 'passes' && !nameRefused;

/** What kind of block it is; the first that holds. @internal */
export const BLOCK_RULES: readonly BlockRule[] = [
  {
    when: 'a block page came instead of TLS',
    holds: ({ page }) => page,
    kind: 'page-in-plain-text',
    confidence: 'confirmed',
  },
  {
    when:
      'another server name passes at the same address, and the answer came faster than the server could have sent ' +
      'it',
    holds: (facts) => isNamed(facts) && facts.nearer,
    kind: 'name-filtered',
    confidence: 'confirmed',
  },
  {
    when: 'the answer came faster than the server could have sent it',
    holds: ({ nearer }) => nearer,
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'the same hello passes a moment later',
    holds: ({ again }) => again === 'passes',
    kind: null,
    confidence: 'suspected',
  },
  {
    when: 'another server name passes at the same address; a server may refuse its own name as well',
    holds: isNamed,
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when:
      'no certificate comes for any name, and none of control hosts, but a hello that can only be refused is ' +
      'refused',
    holds: (facts) =>
      facts.ending === 'silence' && facts.otherName === 'blocked' && facts.smallAnswered && facts.controlsAlike > 0,
    kind: 'large-answers-lost',
    confidence: 'suspected',
  },
  {
    when: 'two or more control hosts are cut in the same way',
    holds: (facts) => facts.ending === 'cut' && facts.controlsAlike >= 2,
    kind: 'all-tls-cut',
    confidence: 'confirmed',
  },
  {
    when: 'a control host is cut in the same way, or several are silent as well',
    holds: ({ ending, controlsAlike }) => controlsAlike >= (ending === 'cut' ? 1 : 2),
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'anything else: something on the way, or the server itself',
    holds: () => true,
    kind: null,
    confidence: 'suspected',
  },
];

/** The first rule that holds; the last one always does. */
export function decideBlock(facts: BlockFacts): Pick<BlockRule, 'kind' | 'confidence'> {
  return BLOCK_RULES.find((rule) => rule.holds(facts)) ?? { kind: null, confidence: 'suspected' };
}

export function lookOf(outcome: TlsOutcome | null | undefined): Look {
  if (outcome === null || outcome === undefined) return 'open';
  if (outcome.chain !== null) return 'passes';
  return isBlocked(outcome) ? 'blocked' : 'open';
}

/** How many control hosts end as the licence server does; 0 when one of them does not. */
export function controlsAlike(ending: Ending, { controls }: Pick<CloserLook, 'controls'>): number {
  return controls.every((outcome) => isBlocked(outcome) && endingOf(outcome) === ending) ? controls.length : 0;
}

/** One measure may have been disturbed by anything on this machine. */
const FEWEST_CONNECTS = 4;
/** Less than this share of the round trip: the answer cannot have come from the server. */
const TOO_FAST = 0.6;

/** The round trip to the address, at the least; null when it is not known well enough to conclude anything from it. */
export function roundTripOf({ connects, stalledMs }: Pick<CloserLook, 'connects' | 'stalledMs'>): Millis | null {
  return leastRoundTrip(connects, stalledMs, FEWEST_CONNECTS);
}

/** Whether what came after `durationMs` came from something nearer than a round trip away. */
export function isNearer(durationMs: number, roundTrip: number | null): boolean {
  return roundTrip !== null && durationMs < roundTrip * TOO_FAST;
}
