import type { Cause } from '../cause.ts';
import type { EpochMs } from '../../core/clock.ts';
import { sameCause } from './incident.ts';
import type { Candidate, IncidentState } from './incident.ts';
import { intermittence, isGap } from './policy.ts';
import type { IncidentPolicy } from './policy.ts';
import { lastClear, presenceOf } from './round-view.ts';
import type { RoundView } from './round-view.ts';

export interface Candidates {
  /** Seen now, and often enough. */
  readonly ready: readonly Candidate[];
  readonly waiting: readonly Candidate[];
}

/** Causes of no open incident, one look further. A round that cannot judge one leaves it as it is. */
export function lookForCandidates(state: IncidentState, view: RoundView, policy: IncidentPolicy): Candidates {
  const isClaimed = (cause: Cause): boolean =>
    state.incidents.some((incident) => incident.status === 'open' && sameCause(incident.cause, cause));
  const known = state.candidates.filter(({ cause }) => !isClaimed(cause));
  const appeared = view.causes
    .filter((cause) => !isClaimed(cause) && !known.some((candidate) => sameCause(candidate.cause, cause)))
    .map(
      (cause): Candidate => ({
        cause,
        since: view.diagnosis.at,
        streak: 0,
        looks: [],
        clearBefore: lastClear(cause, view),
      }),
    );
  const looked = [...known, ...appeared].map((candidate) => lookedAt(candidate, view, policy));
  const ready = looked.filter((candidate) => isReady(candidate, view, policy));
  return {
    ready,
    waiting: looked.filter((candidate) => !ready.includes(candidate) && candidate.looks.some((look) => look !== null)),
  };
}

function lookedAt(candidate: Candidate, view: RoundView, policy: IncidentPolicy): Candidate {
  const { at } = view.diagnosis;
  const keep = (look: EpochMs | null): Candidate['looks'] =>
    [...candidate.looks, look].slice(-intermittence(policy).of);
  switch (presenceOf(candidate.cause, view)) {
    case 'seen':
      return {
        cause: view.causes.find((cause) => sameCause(cause, candidate.cause)) ?? candidate.cause,
        since: candidate.streak === 0 ? at : candidate.since,
        streak: candidate.streak + 1,
        looks: keep(at),
        clearBefore: candidate.streak === 0 ? unlessGap(candidate, at, policy) : candidate.clearBefore,
      };
    case 'absent':
      return { ...candidate, streak: 0, looks: keep(null), clearBefore: at };
    case 'unjudged':
    case 'hidden':
      return candidate;
  }
}

function unlessGap({ cause, clearBefore }: Candidate, at: EpochMs, policy: IncidentPolicy): EpochMs | null {
  return clearBefore === null || isGap(policy, cause.precondition, at - clearBefore) ? null : clearBefore;
}

/**
 * Seen in enough rounds in a row, or, since an intermittent fault never is, in enough of the last ones. What two
 * witnesses agree on needs one round less, since another look would tell no more than they do.
 */
export function isReady({ cause, streak, looks }: Candidate, view: RoundView, policy: IncidentPolicy): boolean {
  if (presenceOf(cause, view) !== 'seen') return false;
  const witnessed = view.corroborated.some((other) => sameCause(other, cause)) ? 1 : 0;
  return streak + witnessed >= policy.confirmations || isIntermittent(looks, policy);
}

function isIntermittent(looks: Candidate['looks'], policy: IncidentPolicy): boolean {
  return looks.filter((look) => look !== null).length >= intermittence(policy).seen;
}

/** The first round of those that confirmed it, and the last one before it that did not show it. */
export function beginOf(
  { since, clearBefore, streak, looks }: Candidate,
  policy: IncidentPolicy,
): Pick<Candidate, 'since' | 'clearBefore'> {
  if (streak >= policy.confirmations || !isIntermittent(looks, policy)) return { since, clearBefore };
  return { since: looks.find((look) => look !== null) ?? since, clearBefore: null };
}

/** The times at which it was back after rounds without it. */
export function returnsOf({ looks }: Candidate): readonly EpochMs[] {
  const first = looks.findIndex((look) => look !== null);
  return looks.flatMap((look, index) => (look !== null && index > first && looks[index - 1] === null ? [look] : []));
}

/** Seen in this round, and not often enough yet. */
export function isBeingConfirmed({ cause, looks }: Candidate, view: RoundView): boolean {
  return cause.severity !== 'info' && looks.at(-1) === view.diagnosis.at;
}
