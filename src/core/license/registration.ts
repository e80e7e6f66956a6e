import type { EpochMs } from '../clock.ts';
import type { Failure } from '../observation.ts';

export type RegistrationObservation =
  | { readonly kind: 'ok'; readonly lookups: readonly LicenseLookup[] }
  /** The service rejected the API user's credentials, or the access token that was issued for them. */
  | { readonly kind: 'denied'; readonly message: string }
  | Postponed
  | Failure;

/** The service's quota, or the back-off after errors, does not allow a query before the given time. */
export interface Postponed {
  readonly kind: 'postponed';
  readonly until: EpochMs;
}

export interface LicenseLookup {
  readonly license: string;
  readonly outcome: LicenseOutcome;
  /** If the outcome is from an earlier check, its time and the reason why the last query got no response. */
  readonly kept?: { readonly since: EpochMs; readonly because: Postponed | Failure };
}

export type LicenseAnswer =
  | {
      readonly kind: 'registered';
      readonly serial: string;
      /** Number of tokens included in the purchased licence, if known. */
      readonly bought?: number;
    }
  /** Listed, but not registered to a unit. `status` is the service's own text, for example `Pending`. */
  | { readonly kind: 'unregistered'; readonly status: string }
  /** Listed with a status other than `Pending`, but without a readable serial number. The holder is unknown. */
  | { readonly kind: 'unnamed'; readonly status: string | null }
  /** Proves nothing, because the service does not list every licence. */
  | { readonly kind: 'not-listed' };

export type LicenseOutcome =
  | LicenseAnswer
  /** Not looked up, because one check looks up only a limited number of licences. */
  | { readonly kind: 'queued' }
  | Postponed
  | Failure;
