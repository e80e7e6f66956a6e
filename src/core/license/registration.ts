import type { EpochMs } from '../clock.ts';
import type { Failure } from '../observation.ts';

/** What the registration service says about the licences that were asked for. */
export type RegistrationObservation =
  | { readonly kind: 'ok'; readonly lookups: readonly LicenseLookup[] }
  /** The API user's credentials were refused, or the access token that they gave. */
  | { readonly kind: 'denied'; readonly message: string }
  | Postponed
  | Failure;

/** Not asked: the service's quota or the back-off after errors forbids it until then. */
export interface Postponed {
  readonly kind: 'postponed';
  readonly until: EpochMs;
}

export interface LicenseLookup {
  readonly license: string;
  readonly outcome: LicenseOutcome;
  /** The outcome is of an earlier look: when it was told, and why there is no newer one. */
  readonly kept?: { readonly since: EpochMs; readonly because: Postponed | Failure };
}

export type LicenseOutcome =
  | {
      readonly kind: 'registered';
      readonly serial: string;
      /** How many tokens it was sold with; left out where nothing says. */
      readonly bought?: number;
    }
  /** It is known, and no unit holds it: `status` is the service's own word, `Pending`. */
  | { readonly kind: 'unregistered'; readonly status: string }
  /**
   * It is listed, and not as `Pending`, but no serial number of a unit can be read: it says nothing about who holds it.
   */
  | { readonly kind: 'unnamed'; readonly status: string | null }
  /** An empty answer: says nothing, since not every licence is listed. */
  | { readonly kind: 'not-listed' }
  | Postponed
  | Failure;
