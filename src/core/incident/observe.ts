import type { Cause } from '../cause.ts';
import type { EpochMs } from '../clock.ts';
import { sameCause } from './incident.ts';
import type { Candidate, Incident, IncidentState } from './incident.ts';
import type { IncidentEffect, Step } from './machine-input.ts';
import { quietPeriod } from './policy.ts';
import type { IncidentPolicy } from './policy.ts';
import { isFresh, sightOf } from './sight.ts';
import type { RoundView } from './sight.ts';
import { continuedBy } from './takeover.ts';

const MAX_FORMER = 20;
const MAX_RETURNS = 50;

/** Takes one round in: incidents open, change and close. Nothing is told yet. */
export function observe(state: IncidentState, view: RoundView, policy: IncidentPolicy): Step {
  const seen = lookAgain(state, view, policy);
  const { ready, waiting } = candidates(seen.state, view, policy);
  const opened = ready.reduce<Step>((step, candidate) => settle(step, candidate, view), {
    state: { ...seen.state, candidates: waiting },
    effects: seen.effects,
  });
  return closeRecovered(opened, view, policy);
}

/** Every known incident against this round. */
function lookAgain(state: IncidentState, view: RoundView, policy: IncidentPolicy): Step {
  const effects: IncidentEffect[] = [];
  const incidents = state.incidents.map((incident) => {
    const next = incident.status === 'open' ? lookAtOpen(incident, view, policy) : lookAtClosed(incident, view, policy);
    if (incident.status === 'closed' && next.status === 'open')
      effects.push({ kind: 'transition', transition: 'reopened', incident: next });
    return next;
  });
  return { state: { ...state, incidents }, effects };
}

function lookAtOpen(incident: Incident, view: RoundView, policy: IncidentPolicy): Incident {
  const now = view.diagnosis.at;
  const sight = sightOf(incident.cause, view);
  switch (sight) {
    case 'seen':
      return {
        ...renewed(incident, view),
        sight,
        lastSeen: now,
        streak: 0,
        returns: incident.streak > 0 ? returned(incident.returns, now, policy) : recent(incident.returns, now, policy),
      };
    case 'absent':
      // A wall clock that was set back must not keep the incident open for as long.
      return { ...incident, sight, lastSeen: Math.min(incident.lastSeen, now), streak: incident.streak + 1 };
    case 'unjudged':
    case 'hidden':
      return { ...incident, sight };
  }
}

function lookAtClosed(incident: Incident, view: RoundView, policy: IncidentPolicy): Incident {
  const now = view.diagnosis.at;
  const sight = sightOf(incident.cause, view);
  if (sight === 'unjudged' || sight === 'hidden') return incident;
  if (sight === 'absent') return incident.streak === 0 ? incident : { ...incident, streak: 0 };
  if (incident.streak + 1 < policy.confirmations) return { ...incident, streak: incident.streak + 1 };
  return {
    ...renewed(incident, view),
    status: 'open',
    sight,
    closedAt: null,
    lastSeen: now,
    streak: 0,
    returns: returned(incident.returns, now, policy),
  };
}

/** With the cause as this round tells it: its evidence, its severity. */
function renewed(incident: Incident, view: RoundView): Incident {
  const cause = view.causes.find((other) => sameCause(other, incident.cause));
  if (cause === undefined) return incident;
  return cause.severity === incident.cause.severity ? { ...incident, cause } : withCause(incident, cause, view.diagnosis.at);
}

function withCause(incident: Incident, cause: Cause, now: EpochMs): Incident {
  const { id, subject, severity } = incident.cause;
  return {
    ...incident,
    cause,
    formerCauses: [...incident.formerCauses, { id, subject, severity, until: now }].slice(-MAX_FORMER),
    causeSince: now,
  };
}

function recent(returns: readonly EpochMs[], now: EpochMs, policy: IncidentPolicy): readonly EpochMs[] {
  return returns.filter((at) => at <= now && now - at < policy.flapWindow);
}

function returned(returns: readonly EpochMs[], now: EpochMs, policy: IncidentPolicy): readonly EpochMs[] {
  return [...recent(returns, now, policy), now].slice(-MAX_RETURNS);
}

interface Candidates {
  readonly ready: readonly Candidate[];
  readonly waiting: readonly Candidate[];
}

/** Causes that belong to no incident, one confirmation further. */
function candidates(state: IncidentState, view: RoundView, policy: IncidentPolicy): Candidates {
  const unclaimed = view.causes.filter((cause) => !state.incidents.some((incident) => sameCause(incident.cause, cause)));
  const seen = unclaimed
    .filter((cause) => isFresh(cause.precondition, view))
    .map((cause): Candidate => {
      const before = state.candidates.find((candidate) => sameCause(candidate.cause, cause));
      return { cause, since: before?.since ?? view.diagnosis.at, streak: (before?.streak ?? 0) + 1 };
    });
  const unjudged = state.candidates.filter(
    ({ cause }) =>
      ['unjudged', 'hidden'].includes(sightOf(cause, view)) && !state.incidents.some((incident) => sameCause(incident.cause, cause)),
  );
  return {
    ready: seen.filter(({ streak }) => streak >= policy.confirmations),
    waiting: [...seen.filter(({ streak }) => streak < policy.confirmations), ...unjudged],
  };
}

/** A confirmed cause becomes the better explanation of an incident, or one of its own. */
function settle(step: Step, candidate: Candidate, view: RoundView): Step {
  const continued = continuedBy(step.state.incidents, candidate.cause, view.causes);
  return continued === null ? open(step, candidate, view.diagnosis.at) : change(step, continued, { candidate, at: view.diagnosis.at });
}

function open(step: Step, { cause, since }: Candidate, now: EpochMs): Step {
  const counter = step.state.counter + 1;
  const incident: Incident = {
    id: `${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/gu, '')}-${String(counter)}`,
    status: 'open',
    cause,
    formerCauses: [],
    since,
    openedAt: now,
    closedAt: null,
    lastSeen: now,
    causeSince: now,
    returns: [],
    streak: 0,
    sight: 'seen',
    told: null,
    held: false,
    published: false,
    thread: { count: 0, first: null, last: null },
  };
  return {
    state: { ...step.state, counter, incidents: [...step.state.incidents, incident] },
    effects: [...step.effects, { kind: 'transition', transition: 'opened', incident }],
  };
}

function change(step: Step, before: Incident, { candidate, at }: { readonly candidate: Candidate; readonly at: EpochMs }): Step {
  const incident: Incident = { ...withCause(before, candidate.cause, at), lastSeen: at, streak: 0, sight: 'seen' };
  return {
    state: { ...step.state, incidents: step.state.incidents.map((other) => (other.id === incident.id ? incident : other)) },
    effects: [...step.effects, { kind: 'transition', transition: 'changed', incident }],
  };
}

function closeRecovered(step: Step, view: RoundView, policy: IncidentPolicy): Step {
  const effects: IncidentEffect[] = [...step.effects];
  const incidents = step.state.incidents.map((incident) => {
    if (!hasRecovered(incident, view, policy) || isBeingTakenOver(incident, step.state, view)) return incident;
    const closed: Incident = { ...incident, status: 'closed', closedAt: view.diagnosis.at, streak: 0 };
    effects.push({ kind: 'transition', transition: 'closed', incident: closed });
    return closed;
  });
  return { state: { ...step.state, incidents }, effects };
}

function hasRecovered(incident: Incident, view: RoundView, policy: IncidentPolicy): boolean {
  return (
    incident.status === 'open' &&
    incident.sight === 'absent' &&
    incident.streak >= policy.recoveries &&
    view.diagnosis.at - incident.lastSeen >= quietPeriod(policy, recent(incident.returns, view.diagnosis.at, policy).length)
  );
}

/** A cause that would continue this incident is seen, only not often enough yet: it is too early for an all-clear. */
function isBeingTakenOver(incident: Incident, state: IncidentState, view: RoundView): boolean {
  return state.candidates.some(
    ({ cause }) => view.causes.some((present) => sameCause(present, cause)) && continuedBy([incident], cause, view.causes) !== null,
  );
}
