import type { EpochMs, Millis } from '../clock.ts';
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

export type LicenseOutcome =
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
  | { readonly kind: 'not-listed' }
  /** Not looked up, because one check looks up only a limited number of licences. */
  | { readonly kind: 'queued' }
  | Postponed
  | Failure;

/** If a query fails, earlier responses are kept, because a failed query does not mean that the licence was moved. */
export type RegistrationMemory = ReadonlyMap<string, Known>;

/** `missed` is the reason why the last query got no response. */
interface Known {
  readonly outcome: LicenseOutcome;
  readonly at: EpochMs;
  readonly missed: Postponed | Failure | null;
}

interface RegistrationLook {
  /** All licences that are currently relevant. Other licences are removed from memory. */
  readonly wanted: readonly string[];
  /** Licences from `wanted` that were queried in this check. */
  readonly asked: readonly string[];
  readonly seen: RegistrationObservation;
  readonly at: EpochMs;
}

/** If the service rejects the login, all responses are dropped. */
export function afterLook(known: RegistrationMemory, look: RegistrationLook, keptFor: Millis): RegistrationMemory {
  const { wanted, asked, seen } = look;
  if (seen.kind === 'denied') return new Map();
  const outcomes = new Map(
    seen.kind === 'ok'
      ? seen.lookups.map(({ license, outcome }) => [license, outcome])
      : asked.map((license) => [license, seen]),
  );
  return new Map(
    wanted.flatMap((license): readonly (readonly [string, Known])[] => {
      const before = known.get(license);
      const outcome = outcomes.get(license);
      if (outcome !== undefined && (outcome.kind !== 'queued' || before === undefined))
        return [[license, newer(before, { outcome, at: look.at, missed: null }, keptFor)]];
      return before === undefined ? [] : [[license, before]];
    }),
  );
}

function newer(before: Known | undefined, now: Known, keptFor: Millis): Known {
  if (before === undefined || !isOpen(now.outcome) || !isAnswer(before.outcome)) return now;
  return now.at - before.at <= keptFor ? { ...before, missed: now.outcome } : now;
}

/** Licences that the check did not look up, because it had reached its limit. */
export function queuedIn(seen: RegistrationObservation): readonly string[] {
  const lookups = seen.kind === 'ok' ? seen.lookups : [];
  return lookups.filter(({ outcome }) => outcome.kind === 'queued').map(({ license }) => license);
}

/** Returns `seen` unchanged if there are no remembered responses. */
export function observationOf(known: RegistrationMemory, seen: RegistrationObservation): RegistrationObservation {
  const isKnown = [...known.values()].some(({ outcome }) => isAnswer(outcome));
  if (seen.kind !== 'ok' && !isKnown) return seen;
  return {
    kind: 'ok',
    lookups: [...known].map(([license, { outcome, at, missed }]) => ({
      license,
      outcome,
      ...(missed === null ? {} : { kept: { since: at, because: missed } }),
    })),
  };
}

/** Licences that have never been queried come first, so that other licences' failing queries do not delay them. */
export function openLicenses(known: RegistrationMemory): readonly string[] {
  const open = [...known].filter(([, { outcome, missed }]) => missed !== null || isOpen(outcome));
  return open.toSorted(([, a], [, b]) => Number(isPostponed(b)) - Number(isPostponed(a))).map(([license]) => license);
}

/**
 * Time of the next unscheduled query for licences without a response. Null if no response is missing, or if waiting
 * would not help.
 * @param blockedUntil the field in the call budget
 */
export function nextLook(known: RegistrationMemory, blockedUntil: EpochMs, now: EpochMs): EpochMs | null {
  const open = [...known.values()].map(({ outcome, missed }) => missed ?? outcome).filter(isOpen);
  const times = open.flatMap((outcome) =>
    outcome.kind === 'postponed' ? [outcome.until] : blockedUntil > now ? [blockedUntil] : [],
  );
  return times.length === 0 ? null : Math.min(...times);
}

function isOpen(outcome: LicenseOutcome): outcome is Postponed | Failure {
  return outcome.kind === 'postponed' || outcome.kind === 'failed';
}

function isAnswer(outcome: LicenseOutcome): boolean {
  return !isOpen(outcome) && outcome.kind !== 'queued';
}

function isPostponed({ outcome, missed }: Known): boolean {
  return (missed ?? outcome).kind === 'postponed';
}
