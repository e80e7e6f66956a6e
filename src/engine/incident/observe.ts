import type { Cause } from '../cause.ts';
import type { EpochMs } from '../../core/clock.ts';
import { beginOf, isBeingConfirmed, lookForCandidates, returnsOf } from './candidates.ts';
import { withCause } from './former-cause.ts';
import { isUnverified, MAX_EARLIER, sameCause, withIncidents } from './incident.ts';
import type { Candidate, Incident, IncidentState } from './incident.ts';
import type { IncidentStep, Transition } from './machine-input.ts';
import { mergeAlternating, mergeUnjudged } from './merge.ts';
import { isGap } from './policy.ts';
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
  const merged = mergeUnjudged(mergeAlternating(state, placed, view), view.diagnosis.at);
  return closeRecovered(withFlapping(merged, { now: view.diagnosis.at, policy }), view, policy);
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
        clear: { ...incident.clear, after: null },
        streak: 0,
        returns:
          incident.streak > 0
            ? returned([...incident.returns, now], { now, policy })
            : recent(incident.returns, now, policy),
      };
    case 'absent':
      return {
        ...incident,
        presence,
        // A wall clock that was set back must not keep the incident open for as long.
        lastSeen: Math.min(incident.lastSeen, now),
        clear: {
          ...incident.clear,
          after: incident.streak === 0 ? clearAfter(incident, now, policy) : incident.clear.after,
        },
        streak: incident.streak + 1,
      };
    case 'unjudged':
      return { ...incident, presence: isUnverified(incident) ? 'unverified' : presence };
    case 'hidden':
      return { ...incident, presence };
  }
}

function clearAfter({ cause, lastSeen }: Incident, now: EpochMs, policy: IncidentPolicy): EpochMs | null {
  return isGap(policy, cause.precondition, now - lastSeen) ? null : now;
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
  return returns.filter((at) => at <= now && now - at < policy.flapping.within);
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
    ({ closedAt, cause, mergedInto }) =>
      closedAt !== null &&
      present.now - closedAt < policy.reopenWindow &&
      mergedInto === null &&
      sameCause(cause, candidate.cause),
  );
  return former === undefined
    ? open(step, candidate, present)
    : replace(step, 'reopened', reopened(former, candidate, present));
}

function changed(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const { cause } = candidate;
  const { since } = beginOf(candidate, present.policy);
  const isBack = incident.formerCauses.some((former) => sameCause(former, cause));
  return {
    ...withCause(incident, cause, { since, now: present.now }),
    ...seenAgain(present.now),
    clear: { ...incident.clear, after: null },
    returns: isBack ? returned([...incident.returns, since], present) : incident.returns,
  };
}

/** What was over is one occurrence, and this is another one of the same incident. */
function reopened(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const { since, clearBefore } = beginOf(candidate, present.policy);
  const { openedAt, lastSeen, closedAt, clear } = incident;
  return {
    ...toldAnew(incident, candidate.cause, { since, now: present.now }),
    ...seenAgain(present.now),
    status: 'open',
    openingEvidence: candidate.cause.evidence,
    earlier: [...incident.earlier, { since: incident.since, openedAt, lastSeen, closedAt, clear }].slice(-MAX_EARLIER),
    since,
    causeSince: since,
    openedAt: present.now,
    closedAt: null,
    clear: { before: clearBefore, after: null },
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
  const begin = beginOf(candidate, policy);
  const since = Math.min(begin.since, now);
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
    clear: { before: begin.clearBefore, after: null },
    earlier: [],
    causeSince: since,
    ...seenAgain(now),
    returns: returned(returnsOf(candidate), present),
    flapping: false,
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

function withFlapping({ state, effects }: IncidentStep, present: Moment): IncidentStep {
  const { outages } = present.policy.flapping;
  const incidents = state.incidents.map((incident) => ({
    ...incident,
    flapping: incident.status === 'open' && (incident.flapping || outagesOf(incident, state, present) > outages),
  }));
  const effectsNow = effects.map((effect) =>
    effect.kind === 'transition'
      ? { ...effect, incident: incidents.find(({ id }) => id === effect.incident.id) ?? effect.incident }
      : effect,
  );
  return { state: { ...state, incidents }, effects: effectsNow };
}

/** Outages of the same target, whatever caused them: those of this incident, and of others that have ended. */
function outagesOf(incident: Incident, { incidents }: IncidentState, { now, policy }: Moment): number {
  const others = incidents.filter(
    ({ status, mergedInto, cause }) =>
      status === 'closed' && mergedInto === null && cause.subject === incident.cause.subject,
  );
  const begins = [incident, ...others].flatMap(({ since, earlier, returns }) => [
    since,
    ...earlier.map((occurrence) => occurrence.since),
    ...returns,
  ]);
  return recent([...new Set(begins)], now, policy).length;
}

const ENDED = { status: 'closed', acknowledgement: null, flapping: false } as const;

function closeRecovered(step: IncidentStep, view: RoundView, policy: IncidentPolicy): IncidentStep {
  // Another fault is just being confirmed: it may be what became of this one, and it is too early for an all-clear.
  if (step.state.candidates.some((candidate) => isBeingConfirmed(candidate, view))) return step;
  return step.state.incidents
    .filter((incident) => hasRecovered(incident, view, policy))
    .map((incident): Incident => ({ ...incident, ...ENDED, closedAt: view.diagnosis.at, streak: 0 }))
    .reduce((all, closed) => replace(all, 'closed', closed), step);
}

function hasRecovered(incident: Incident, { diagnosis: { at } }: RoundView, policy: IncidentPolicy): boolean {
  const { status, presence, streak, flapping, lastSeen } = incident;
  const quiet = flapping ? policy.flapping.quiet : 0;
  return status === 'open' && presence === 'absent' && streak >= policy.recoveries && at - lastSeen >= quiet;
}
