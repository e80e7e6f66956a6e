import type { EpochMs } from './clock.ts';
import type { Failure } from './observation.ts';

/** What another ftm-watch sees of the same licence server. */
export type PeerObservation = PeerView | PeerUnreadable;

export interface PeerView {
  readonly kind: 'seen';
  /** Its name in the configuration. */
  readonly peer: string;
  /** When it looked, by its own clock. */
  readonly at: EpochMs;
  readonly preconditions: readonly PeerPrecondition[];
  readonly causes: readonly PeerCause[];
}

export interface PeerPrecondition {
  readonly id: string;
  readonly state: string;
  /** What it says is what it was told by a peer of its own: two that believe each other would never stop. */
  readonly isHearsay: boolean;
  /** By its own check, whatever its peers told it. */
  readonly seesNoFault: boolean;
}

export interface PeerCause {
  readonly id: string;
  readonly precondition: string;
  readonly confidence: 'confirmed' | 'suspected';
  readonly severity: 'critical' | 'warning' | 'info';
  readonly subject: string;
  readonly product: string | null;
  readonly summary: string;
}

/** Silent, refusing, old, or of a version that is not understood: it says nothing about the path. */
export interface PeerUnreadable extends Failure {
  readonly peer: string;
}

/** The rule of a fault that a peer sees, while this machine's own check found none. */
export const PEER_ALONE = 'peer-sees-no-fault';

/** The same while this machine could not check for itself. */
export const PEER_INSTEAD = 'peer-sees-no-fault-instead';
