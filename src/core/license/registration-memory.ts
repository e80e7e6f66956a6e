import type { EpochMs, Millis } from '../clock.ts';
import type { Failure } from '../observation.ts';
import type { LicenseOutcome, Postponed, RegistrationObservation } from './registration.ts';

/** The last answer about each licence, since a service that fails once has not moved a licence. */
export type RegistrationMemory = ReadonlyMap<string, Known>;

/** `missed`: why the service did not answer again when it was asked last. */
interface Known {
  readonly outcome: LicenseOutcome;
  /** When the outcome was told. */
  readonly at: EpochMs;
  readonly missed: Postponed | Failure | null;
}

export interface RegistrationLook {
  /** Every licence that matters now: what is known of others is forgotten. */
  readonly wanted: readonly string[];
  /** Those of them that this look asked for. */
  readonly asked: readonly string[];
  readonly seen: RegistrationObservation;
  readonly at: EpochMs;
}

/**
 * What is known after a look. An answer stands for `keptFor` while there is no newer one; where the login is refused,
 * nothing stands any more.
 */
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
      if (outcome !== undefined) return [[license, newer(before, { outcome, at: look.at, missed: null }, keptFor)]];
      return before === undefined ? [] : [[license, before]];
    }),
  );
}

function newer(before: Known | undefined, now: Known, keptFor: Millis): Known {
  if (before === undefined || !isOpen(now.outcome) || isOpen(before.outcome)) return now;
  return now.at - before.at <= keptFor ? { ...before, missed: now.outcome } : now;
}

/** What is known, as if the service had said it just now; `seen` itself where nothing else is known. */
export function observationOf(known: RegistrationMemory, seen: RegistrationObservation): RegistrationObservation {
  const isKnown = [...known.values()].some(({ outcome }) => !isOpen(outcome));
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

/**
 * What the service still owes an answer to; first what it was not even asked, so that a question that always fails does
 * not hold up the others.
 */
export function openLicenses(known: RegistrationMemory): readonly string[] {
  const open = [...known].filter(([, { outcome, missed }]) => missed !== null || isOpen(outcome));
  return open.toSorted(([, a], [, b]) => Number(isPostponed(b)) - Number(isPostponed(a))).map(([license]) => license);
}

/**
 * When to ask again for what is open, before the schedule does: when a call is allowed again. Null: nothing is open, or
 * the service answered with an error that a pause does not fix.
 * @param blockedUntil of the call budget
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

function isPostponed({ outcome, missed }: Known): boolean {
  return (missed ?? outcome).kind === 'postponed';
}
