import type { Cause } from '../cause.ts';
import type { EpochMs } from '../../core/clock.ts';
import { beganAt, isBeingConfirmed, lookForCandidates, returnsOf } from './candidates.ts';
import { withCause } from './former-cause.ts';
import { sameCause, withIncidents } from './incident.ts';
import type { Candidate, Incident, IncidentState } from './incident.ts';
import type { IncidentStep, Transition } from './machine-input.ts';
import { mergeAlternating } from './merge.ts';
import { quietPeriod } from './policy.ts';
import type { IncidentPolicy, Moment } from './policy.ts';
import { presenceOf } from './round-view.ts';
import type { RoundView } from './round-view.ts';
import { continuedBy } from './continued-by.ts';
import { followUnjudged, unknownCauses } from './unknown-precondition.ts';

const MAX_RETURNS = 50;

/** Takes one round in: incidents open, change and close. Nothing is told yet. */
export function observe(before: IncidentState, diagnosed: RoundView, policy: IncidentPolicy): IncidentStep {
  const state = { ...before, unjudged: followUnjudged(before, diagnosed) };
  const view = { ...diagnosed, causes: [...diagnosed.causes, ...unknownCauses(state.unjudged, state, diagnosed)] };
  const incidents = state.incidents.map((incident) =>
    incident.status === 'open' ? lookAgain(incident, view, policy) : incident,
  );
  const { ready, waiting } = lookForCandidates(state, view, policy);
  const placed = ready.reduce<IncidentStep>((step, candidate) => placeCandidate(step, candidate, view, policy), {
    state: { ...state, incidents, candidates: waiting },
    effects: [],
  });
  return closeRecovered(mergeAlternating(state, placed, view), view, policy);
}

/** An open incident against this round. */
function lookAgain(incident: Incident, view: RoundView, policy: IncidentPolicy): Incident {
  const now = view.diagnosis.at;
  const presence = presenceOf(incident.cause, view);
  switch (presence) {
    case 'seen':
      return {
        ...renewed(incident, view),
        presence,
        lastSeen: now,
        streak: 0,
        returns:
          incident.streak > 0
            ? returned([...incident.returns, now], { now, policy })
            : recent(incident.returns, now, policy),
      };
    case 'absent':
      // A wall clock that was set back must not keep the incident open for as long.
      return { ...incident, presence, lastSeen: Math.min(incident.lastSeen, now), streak: incident.streak + 1 };
    case 'unjudged':
    case 'hidden':
      return { ...incident, presence };
  }
}

/** With the cause as this round tells it: its evidence, its severity. */
function renewed(incident: Incident, view: RoundView): Incident {
  const now = view.diagnosis.at;
  const cause = view.causes.find((other) => sameCause(other, incident.cause));
  return cause === undefined ? incident : toldAnew(incident, cause, { since: now, now });
}

/** The same cause, which is another one to people where it is graver or less grave. */
export function toldAnew(incident: Incident, cause: Cause, times: Parameters<typeof withCause>[2]): Incident {
  return cause.severity === incident.cause.severity ? { ...incident, cause } : withCause(incident, cause, times);
}

function recent(returns: readonly EpochMs[], now: EpochMs, policy: IncidentPolicy): readonly EpochMs[] {
  return returns.filter((at) => at <= now && now - at < policy.flapWindow);
}

function returned(times: readonly EpochMs[], { now, policy }: Moment): readonly EpochMs[] {
  return recent(times, now, policy).slice(-MAX_RETURNS);
}

/** A confirmed cause brings its incident back, becomes the better explanation of another one, or one of its own. */
export function placeCandidate(
  step: IncidentStep,
  candidate: Candidate,
  view: RoundView,
  policy: IncidentPolicy,
): IncidentStep {
  const present = { now: view.diagnosis.at, policy };
  const continued = continuedBy(step.state.incidents, candidate.cause, view);
  if (continued !== null) return replace(step, 'changed', changed(continued, candidate, present));
  const former = step.state.incidents.find(
    ({ status, cause, mergedInto }) => status === 'closed' && mergedInto === null && sameCause(cause, candidate.cause),
  );
  return former === undefined
    ? open(step, candidate, present)
    : replace(step, 'reopened', reopened(former, candidate, present));
}

function changed(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const { cause } = candidate;
  const since = beganAt(candidate, present.policy);
  const isBack = incident.formerCauses.some((former) => sameCause(former, cause));
  return {
    ...withCause(incident, cause, { since, now: present.now }),
    ...seenAgain(present.now),
    returns: isBack ? returned([...incident.returns, since], present) : incident.returns,
  };
}

function reopened(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const since = beganAt(candidate, present.policy);
  return {
    ...toldAnew(incident, candidate.cause, { since, now: present.now }),
    ...seenAgain(present.now),
    status: 'open',
    closedAt: null,
    reopened: true,
    returns: returned([...incident.returns, since, ...returnsOf(candidate)], present),
  };
}

function seenAgain(now: EpochMs): Pick<Incident, 'presence' | 'lastSeen' | 'streak'> {
  return { presence: 'seen', lastSeen: now, streak: 0 };
}

function replace(step: IncidentStep, transition: Transition, incident: Incident): IncidentStep {
  return {
    state: withIncidents(step.state, [incident]),
    effects: [...step.effects, { kind: 'transition', transition, incident }],
  };
}

function open(step: IncidentStep, candidate: Candidate, present: Moment): IncidentStep {
  const { now, policy } = present;
  const counter = step.state.counter + 1;
  const since = Math.min(beganAt(candidate, policy), now);
  const incident: Incident = {
    id: `${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/gu, '')}-${step.state.origin}-${String(counter)}`,
    status: 'open',
    cause: candidate.cause,
    openingEvidence: candidate.cause.evidence,
    acknowledgement: null,
    formerCauses: [],
    since,
    openedAt: now,
    closedAt: null,
    causeSince: since,
    ...seenAgain(now),
    returns: returned(returnsOf(candidate), present),
    reopened: false,
    lastNotified: null,
    awaitsDigest: false,
    published: false,
    thread: { count: 0, first: null, last: null },
    merged: [],
    mergedInto: null,
  };
  return {
    state: { ...step.state, counter, incidents: [...step.state.incidents, incident] },
    effects: [...step.effects, { kind: 'transition', transition: 'opened', incident }],
  };
}

const ENDED = { status: 'closed', acknowledgement: null } as const;

function closeRecovered(step: IncidentStep, view: RoundView, policy: IncidentPolicy): IncidentStep {
  // Another fault is just being confirmed: it may be what became of this one, and it is too early for an all-clear.
  if (step.state.candidates.some((candidate) => isBeingConfirmed(candidate, view))) return step;
  return step.state.incidents
    .filter((incident) => hasRecovered(incident, view, policy))
    .map((incident): Incident => ({ ...incident, ...ENDED, closedAt: view.diagnosis.at, streak: 0 }))
    .reduce((all, closed) => replace(all, 'closed', closed), step);
}

function hasRecovered(incident: Incident, { diagnosis: { at } }: RoundView, policy: IncidentPolicy): boolean {
  const { status, presence, streak, reopened, returns, lastSeen } = incident;
  const quiet = reopened ? policy.flapWindow : quietPeriod(policy, recent(returns, at, policy).length);
  return status === 'open' && presence === 'absent' && streak >= policy.recoveries && at - lastSeen >= quiet;
}
