import type { Cause } from '../cause.ts';
import { isReady } from './candidates.ts';
import { withCause } from './former-cause.ts';
import { sameCause, withIncidents } from './incident.ts';
import type { Candidate, Incident, IncidentState } from './incident.ts';
import type { IncidentStep } from './machine-input.ts';
import { placeCandidate, toldAnew } from './observe.ts';
import type { IncidentPolicy } from './policy.ts';
import type { RoundView } from './round-view.ts';

/**
 * Takes in the round of the last diagnosis once more, judged by an answer that came after it. Nothing was looked at
 * again: no look is counted, and nothing recovers. Whatever that round showed takes the cause that it has now.
 */
export function revise(before: IncidentState, view: RoundView, policy: IncidentPolicy): IncidentStep {
  const { at } = view.diagnosis;
  const isShown = (candidate: Candidate): boolean => candidate.looks.at(-1) === at;
  const shown = before.incidents.filter(
    ({ status, presence, lastSeen }) => status === 'open' && presence === 'seen' && lastSeen === at,
  );
  const changed = shown.reduce<IncidentStep>((step, incident) => withCauseNow(step, incident, view), {
    state: before,
    effects: [],
  });
  const { candidates } = before.candidates.filter(isShown).reduce(withCandidateNow(view), changed.state);
  const ready = candidates.filter((candidate) => isShown(candidate) && isReady(candidate, view, policy));
  const waiting = candidates.filter((candidate) => !ready.includes(candidate));
  return ready.reduce<IncidentStep>((step, candidate) => placeCandidate(step, candidate, view, policy), {
    ...changed,
    state: { ...changed.state, candidates: waiting },
  });
}

function withCandidateNow(view: RoundView): (state: IncidentState, candidate: Candidate) => IncidentState {
  return (state, candidate) => {
    const cause = causeNow(candidate.cause, state, view);
    if (cause === null) return state;
    const candidates = state.candidates.map((other) => (other === candidate ? { ...candidate, cause } : other));
    return { ...state, candidates };
  };
}

/** What stands now where this cause stood; null: nothing does, or what does has a history of its own. */
function causeNow(before: Cause, { incidents, candidates }: IncidentState, { causes }: RoundView): Cause | null {
  const same = causes.find((cause) => sameCause(cause, before));
  if (same !== undefined) return same;
  const known = [...incidents.filter(({ status }) => status === 'open'), ...candidates];
  const others = causes.filter(
    ({ precondition, subject }) => precondition === before.precondition && subject === before.subject,
  );
  return others.find((cause) => !known.some((one) => sameCause(one.cause, cause))) ?? null;
}

function withCauseNow({ state, effects }: IncidentStep, incident: Incident, view: RoundView): IncidentStep {
  const { at } = view.diagnosis;
  const cause = causeNow(incident.cause, state, view);
  if (cause === null) return { state, effects };
  const isSame = sameCause(cause, incident.cause);
  const times = { since: at, now: at };
  const revised = isSame ? toldAnew(incident, cause, times) : withCause(incident, cause, times);
  return {
    state: withIncidents(state, [revised]),
    effects: isSame ? effects : [...effects, { kind: 'transition', transition: 'changed', incident: revised }],
  };
}
