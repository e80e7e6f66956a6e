import type { EpochMs } from '../../core/clock.ts';
import { compareSeverity } from '../../core/severity.ts';
import { visibleText } from '../../core/visible-text.ts';
import { announce } from './announce.ts';
import {
  type IncidentState,
  type Silence,
  type IncidentPolicy,
  withIncidents,
  type Acknowledgement,
  type Incident,
  withAttached,
  withCause,
  isUnchecked,
  ENDED,
  MAX_EARLIER,
  sameCause,
  sameFault,
  type Candidate,
  isGap,
  type Moment,
  isOpenFault,
} from './incident.ts';
import {
  type IncidentEffect,
  type IncidentInput,
  type IncidentStep,
  roundView,
  type Transition,
  presenceOf,
  type RoundView,
  followUnjudged,
  unknownCauses,
  showsStill,
  lastClear,
} from './round-view.ts';
import { knownCause, type Cause, type Check } from '../model.ts';
import { dependsOnFact, UNKNOWN_CAUSE } from '../words.ts';

export const MAX_SILENCES = 100;

/** Processes one input. The caller must store the new state before it runs the effects. */
export function next(state: IncidentState, input: IncidentInput, policy: IncidentPolicy): IncidentStep {
  const now = presentOf(input);
  const taken = take(forget(state, now, policy), input, policy);
  const announced = announce(taken.state, now, policy);
  return { state: announced.state, effects: [...taken.effects, ...announced.effects] };
}

function take(state: IncidentState, input: IncidentInput, policy: IncidentPolicy): IncidentStep {
  switch (input.kind) {
    case 'diagnosis':
      return observe(state, roundView({ ...input, checks: policy.checks }), policy);
    case 'revision':
      return revise(state, roundView({ ...input, fresh: null, checks: policy.checks }), policy);
    case 'tick':
      return { state, effects: [] };
    case 'maintenance':
      return { state: { ...state, maintenance: input.active }, effects: [] };
    case 'silence':
      return { state: addSilence(state, input.silence, input.at), effects: [] };
    case 'unsilence':
      return { state: { ...state, silences: state.silences.filter(({ id }) => id !== input.id) }, effects: [] };
    case 'acknowledge':
      return { state: acknowledge(state, input.id, input), effects: [] };
    case 'unacknowledge':
      return { state: unacknowledge(state, input.id), effects: [] };
    case 'attach':
      return { state: attach(state, input.id, input.evidence), effects: [] };
  }
}

function presentOf(input: IncidentInput): EpochMs {
  return input.kind === 'diagnosis' ? input.diagnosis.at : input.at;
}

function addSilence(state: IncidentState, asked: Omit<Silence, 'id'>, now: EpochMs): IncidentState {
  const counter = state.counter + 1;
  const silence: Silence = {
    ...asked,
    id: `silence-${String(now)}-${String(counter)}`,
    by: visibleText(asked.by, 100),
    comment: visibleText(asked.comment, 500),
  };
  return { ...state, counter, silences: [...state.silences, silence].slice(-MAX_SILENCES) };
}

const MAX_NAME = 100;

/** Stops the reminders until the incident ends, its severity rises or its cause changes. */
function acknowledge(state: IncidentState, id: string, { at, by }: Acknowledgement): IncidentState {
  return withOpen(state, id, (incident) => ({
    ...incident,
    acknowledgement: { at, by: visibleText(by, MAX_NAME) },
  }));
}

function unacknowledge(state: IncidentState, id: string): IncidentState {
  return withOpen(state, id, (incident) => ({ ...incident, acknowledgement: null }));
}

const MAX_ATTACHED = 10;

function attach(state: IncidentState, id: string, evidence: readonly string[]): IncidentState {
  return withOpen(state, id, (incident) => {
    const attached = [...new Set([...incident.attached, ...evidence])].slice(-MAX_ATTACHED);
    return { ...incident, attached, cause: withAttached(incident.cause, { attached }) };
  });
}

function withOpen(state: IncidentState, id: string, change: (incident: Incident) => Incident): IncidentState {
  return withIncidents(
    state,
    state.incidents.filter((incident) => incident.id === id && incident.status === 'open').map(change),
  );
}

/** Removes incidents whose end has been reported and that are too old to be reopened or to count as an outage. */
function forget(state: IncidentState, now: EpochMs, policy: IncidentPolicy): IncidentState {
  return {
    ...state,
    silences: state.silences.filter(({ until }) => until > now),
    incidents: state.incidents.filter((incident) => isKept(incident, now, policy)),
  };
}

function isKept({ closedAt, lastNotified, awaitsDigest }: Incident, now: EpochMs, policy: IncidentPolicy): boolean {
  if (closedAt === null || (policy.tells && (lastNotified !== null || awaitsDigest))) return true;
  return closedAt <= now && now - closedAt < Math.max(policy.reopenWindow, policy.flapping.within);
}

const MAX_RETURNS = 50;

/** Notifications are created in a later step. */
function observe(before: IncidentState, diagnosed: RoundView, policy: IncidentPolicy): IncidentStep {
  const state = { ...before, unjudged: followUnjudged(before, diagnosed) };
  const view = { ...diagnosed, causes: [...diagnosed.causes, ...unknownCauses(state.unjudged, state, diagnosed)] };
  const incidents = state.incidents.map((incident) =>
    incident.status === 'open' ? updated(incident, view, state, policy) : closedAsSeen(incident, view),
  );
  const { ready, waiting } = lookForCandidates(state, view, policy);
  const placed = ready.reduce<IncidentStep>((step, candidate) => placeCandidate(step, candidate, view, policy), {
    state: { ...state, incidents, candidates: waiting },
    effects: changesOf(state.incidents, incidents),
  });
  return closeRecovered(withFlapping(placed, { now: view.diagnosis.at, policy }), view, policy);
}

function changesOf(before: readonly Incident[], after: readonly Incident[]): readonly IncidentEffect[] {
  return after
    .filter((incident, index) => before[index]?.cause.id !== incident.cause.id)
    .map((incident) => ({ kind: 'transition', transition: 'changed', incident }));
}

function updated(incident: Incident, view: RoundView, state: IncidentState, policy: IncidentPolicy): Incident {
  const now = view.diagnosis.at;
  const presence = presenceOf(incident.cause, view);
  switch (presence) {
    case 'seen': {
      const seen = renewed(incident, view, state);
      return {
        ...seen,
        presence,
        lastSeen: view.causes.some((cause) => sameCause(cause, seen.cause)) ? now : seen.lastSeen,
        clear: { ...incident.clear, after: null },
        streak: 0,
        returns:
          incident.streak > 0
            ? returned([...incident.returns, now], { now, policy })
            : recent(incident.returns, now, policy),
      };
    }
    case 'absent':
      return {
        ...incident,
        presence,
        // Keeps the incident from staying open longer if the wall clock was set back.
        lastSeen: Math.min(incident.lastSeen, now),
        clear: {
          ...incident.clear,
          after: incident.streak === 0 ? clearAfter(incident, now, policy) : incident.clear.after,
        },
        streak: incident.streak + 1,
      };
    case 'unjudged':
      return isUnchecked(incident) ? incident : { ...incident, presence };
    case 'hidden':
      return { ...incident, presence };
  }
}

/** A resumed incident that was closed before stays `resumed` until a round has not detected its cause. */
function closedAsSeen(incident: Incident, view: RoundView): Incident {
  const isStillClear = isUnchecked(incident) && presenceOf(incident.cause, view) === 'absent';
  return isStillClear ? { ...incident, presence: 'absent' } : incident;
}

function clearAfter({ cause, lastSeen }: Incident, now: EpochMs, policy: IncidentPolicy): EpochMs | null {
  return isGap(policy, cause.precondition, now - lastSeen) ? null : now;
}

function renewed(incident: Incident, view: RoundView, state: IncidentState): Incident {
  const now = view.diagnosis.at;
  const cause = view.causes.find((other) => sameFault(other, incident.cause));
  if (cause === undefined || isRaisedTooSoon(cause, incident, view, state)) return incident;
  if (isSameExplanation(cause, incident.cause, view.checks))
    return withCauseDetails(incident, cause, { since: now, now });
  const since = explainedSince(cause, view);
  return since === null ? incident : withCauseDetails(incident, cause, { since, now });
}

/** Away from the path, a cause's kind is a detail. */
function isSameExplanation(cause: Cause, before: Cause, checks: readonly Check[]): boolean {
  return cause.id === before.id && (cause.kind === before.kind || !isOnPath(cause, checks));
}

/**
 * Returns the time of the first round that explained the fault in this way. Null if a single round does, because the
 * fault may have ended or changed during this round. A second round, a second witness or a firewall's own statement
 * confirms the explanation.
 */
function explainedSince(cause: Cause, view: RoundView): EpochMs | null {
  const before = view.lastJudged?.get(cause.precondition);
  const explained = before?.causes.find((other) => sameFault(other, cause));
  if (before !== undefined && explained?.id === cause.id && explained.kind === cause.kind) return before.at;
  return cause.culprit !== undefined || isWitnessed(cause, view) ? view.diagnosis.at : null;
}

function isOnPath({ precondition }: Cause, checks: readonly Check[]): boolean {
  return checks.some(({ id, onPath }) => id === precondition && onPath === true);
}

/**
 * A broken path makes some causes critical. They stay as they are until the path's fault is confirmed, so that they are
 * not reported before it.
 */
function isRaisedTooSoon(
  cause: Cause,
  incident: Incident,
  { checks }: RoundView,
  { incidents }: IncidentState,
): boolean {
  if (compareSeverity(cause.severity, incident.cause.severity) >= 0) return false;
  const isOut = incidents.some((one) => isOpenFault(one) && isOutage(one.cause, checks));
  return dependsOnFact(knownCause(checks, cause.id).words, 'isPathBroken') && !isOut;
}

function isOutage(cause: Cause, checks: readonly Check[]): boolean {
  return cause.severity === 'critical' && isOnPath(cause, checks);
}

/** A different severity counts as a changed cause. A lower one does not end the acknowledgement. */
function withCauseDetails(incident: Incident, cause: Cause, times: Parameters<typeof withCause>[2]): Incident {
  if (cause.id !== incident.cause.id) return withCause(incident, cause, times);
  const order = compareSeverity(cause.severity, incident.cause.severity);
  if (order === 0) return { ...incident, cause: withAttached(cause, incident) };
  const changedCause = withCause(incident, cause, times);
  return order < 0 ? changedCause : { ...changedCause, acknowledgement: incident.acknowledgement };
}

function recent(returns: readonly EpochMs[], now: EpochMs, policy: IncidentPolicy): readonly EpochMs[] {
  return returns.filter((at) => at <= now && now - at < policy.flapping.within);
}

function returned(times: readonly EpochMs[], { now, policy }: Moment): readonly EpochMs[] {
  return recent(times, now, policy).slice(-MAX_RETURNS);
}

function isWitnessed(cause: Cause, { corroborated }: RoundView): boolean {
  return corroborated.some((other) => sameFault(other, cause));
}

/** The fault either continues another open incident, reopens its former incident, or opens a new one. */
function placeCandidate(
  step: IncidentStep,
  candidate: Candidate,
  view: RoundView,
  policy: IncidentPolicy,
): IncidentStep {
  const present = { now: view.diagnosis.at, policy };
  const continued = continuedBy(step.state.incidents, candidate.cause, view);
  if (continued !== null) return replace(step, 'changed', changed(continued, candidate, present));
  const former = step.state.incidents.find(
    ({ closedAt, cause }) =>
      closedAt !== null && present.now - closedAt < policy.reopenWindow && sameFault(cause, candidate.cause),
  );
  return former === undefined
    ? open(step, candidate, present)
    : replace(step, 'reopened', reopened(former, candidate, present));
}

function changed(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const { causeSince } = beginOf(candidate, present.policy);
  return {
    ...withCause(incident, candidate.cause, { since: causeSince, now: present.now }),
    ...seenAgain(present.now),
    clear: { ...incident.clear, after: null },
  };
}

function reopened(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const { since, causeSince, clearBefore } = beginOf(candidate, present.policy);
  const { openedAt, lastSeen, closedAt, clear } = incident;
  return {
    ...withCauseDetails({ ...incident, attached: [] }, candidate.cause, { since: causeSince, now: present.now }),
    ...seenAgain(present.now),
    status: 'open',
    openingEvidence: candidate.cause.evidence,
    openingPolicyReport: candidate.cause.policyReport ?? null,
    earlier: [...incident.earlier, { since: incident.since, openedAt, lastSeen, closedAt, clear }].slice(-MAX_EARLIER),
    since,
    causeSince,
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
    openingPolicyReport: candidate.cause.policyReport ?? null,
    attached: [],
    acknowledgement: null,
    formerCauses: [],
    since,
    openedAt: now,
    closedAt: null,
    clear: { before: begin.clearBefore, after: null },
    earlier: [],
    causeSince: Math.min(begin.causeSince, now),
    ...seenAgain(now),
    returns: returned(returnsOf(candidate), present),
    flapping: false,
    lastNotified: null,
    awaitsDigest: false,
    published: false,
    subjectKind: 'observed',
    thread: { count: 0, first: null, last: null },
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

/** Counts the outages of this incident and of closed incidents about the same target. */
function outagesOf(incident: Incident, { incidents }: IncidentState, { now, policy }: Moment): number {
  const others = incidents.filter(
    ({ status, cause }) => status === 'closed' && cause.subject === incident.cause.subject,
  );
  const begins = [incident, ...others].flatMap(({ since, earlier, returns }) => [
    since,
    ...earlier.map((occurrence) => occurrence.since),
    ...returns,
  ]);
  return recent([...new Set(begins)], now, policy).length;
}

function closeRecovered(step: IncidentStep, view: RoundView, policy: IncidentPolicy): IncidentStep {
  const confirming = step.state.candidates.filter((candidate) => isBeingConfirmed(candidate, view));
  return (
    step.state.incidents
      .filter((incident) => hasRecovered(incident, view, policy))
      // The incident stays open while it may continue with another fault as its cause.
      .filter((incident) => !confirming.some(({ cause }) => mayContinueAs(incident, cause, view)))
      .map(
        (incident): Incident => ({
          ...incident,
          ...ENDED,
          closedAt: view.diagnosis.at,
          streak: 0,
          subjectKind: isConfigured(incident.cause, view) ? incident.subjectKind : 'removed',
        }),
      )
      .reduce((all, closed) => replace(all, 'closed', closed), step)
  );
}

function isConfigured({ precondition }: Cause, { diagnosis: { preconditions } }: RoundView): boolean {
  return preconditions.find(({ id }) => id === precondition)?.state !== 'not-configured';
}

function mayContinueAs(incident: Incident, cause: Cause, view: RoundView): boolean {
  return (
    incident.cause.consequences.includes(cause.precondition) ||
    cause.consequences.includes(incident.cause.precondition) ||
    continuedBy([incident], cause, view) !== null
  );
}

function hasRecovered(incident: Incident, { diagnosis: { at } }: RoundView, policy: IncidentPolicy): boolean {
  const { status, presence, streak, flapping, lastSeen } = incident;
  const quiet = flapping ? policy.flapping.quiet : 0;
  return status === 'open' && presence === 'absent' && streak >= policy.recoveries && at - lastSeen >= quiet;
}

/**
 * Returns the open incident that a new fault continues, if the incident's own fault is no longer reported:
 * - an incident that had this cause before, for example before a deeper fault explained it
 * - an incident that this fault explains, and whose findings are still there
 * - an outage of the path that a deeper outage hides
 * - an incident whose precondition has become unknown, or is no longer unknown
 */
function continuedBy(incidents: readonly Incident[], cause: Cause, view: RoundView): Incident | null {
  if (cause.severity === 'info') return null;
  const open = incidents.filter(
    (incident) => isOpenFault(incident) && !view.causes.some((present) => sameFault(present, incident.cause)),
  );
  const isContinued = ({ cause: before }: Incident): boolean =>
    cause.id === UNKNOWN_CAUSE || before.id === UNKNOWN_CAUSE
      ? before.precondition === cause.precondition
      : cause.consequences.includes(before.precondition) &&
        (showsStill(before, view) || [cause, before].every((one) => isOutage(one, view.checks)));
  return (
    open.find(({ formerCauses }) => formerCauses.some((former) => sameCause(former, cause))) ??
    open.find(isContinued) ??
    null
  );
}

/**
 * The last round, judged again after an answer has arrived late, for example from a firewall. No checks are counted and
 * no incident recovers, because nothing was checked again.
 */
function revise(before: IncidentState, view: RoundView, policy: IncidentPolicy): IncidentStep {
  const { at } = view.diagnosis;
  const isShown = (candidate: Candidate): boolean => candidate.looks.at(-1) === at;
  const incidents = before.incidents.map((incident) =>
    incident.status === 'open' && incident.presence === 'seen' && incident.lastSeen === at
      ? revised(incident, view, before)
      : incident,
  );
  const candidates = before.candidates.map((candidate) =>
    isShown(candidate) ? explained(candidate, view) : candidate,
  );
  const ready = candidates.filter((candidate) => isShown(candidate) && isReady(candidate, view, policy));
  return ready.reduce<IncidentStep>((step, candidate) => placeCandidate(step, candidate, view, policy), {
    state: { ...before, incidents, candidates: candidates.filter((candidate) => !ready.includes(candidate)) },
    effects: changesOf(before.incidents, incidents),
  });
}

function revised(incident: Incident, view: RoundView, state: IncidentState): Incident {
  const { at } = view.diagnosis;
  const cause = causeNow(incident.cause, view);
  return isRaisedTooSoon(cause, incident, view, state)
    ? incident
    : withCauseDetails(incident, cause, { since: at, now: at });
}

function causeNow(before: Cause, { causes }: RoundView): Cause {
  return causes.find((cause) => sameFault(cause, before)) ?? before;
}

interface Candidates {
  /** Faults that were detected in this round and often enough overall to open an incident. */
  readonly ready: readonly Candidate[];
  readonly waiting: readonly Candidate[];
}

/** A candidate is not changed if the round could not check it. */
function lookForCandidates(state: IncidentState, view: RoundView, policy: IncidentPolicy): Candidates {
  const isClaimed = (cause: Cause): boolean =>
    state.incidents.some((incident) => incident.status === 'open' && sameFault(incident.cause, cause));
  const known = state.candidates.filter(({ cause }) => !isClaimed(cause));
  const appeared = view.causes
    .filter((cause) => !isClaimed(cause) && !known.some((candidate) => sameFault(candidate.cause, cause)))
    .map(
      (cause): Candidate => ({
        cause,
        since: view.diagnosis.at,
        causeSince: view.diagnosis.at,
        streak: 0,
        looks: [],
        clearBefore: lastClear(cause, view),
      }),
    );
  const looked = [...known, ...appeared].map((candidate) => updatedCandidate(candidate, view, policy));
  const ready = looked.filter((candidate) => isReady(candidate, view, policy));
  return {
    ready,
    waiting: looked.filter((candidate) => !ready.includes(candidate) && candidate.looks.some((look) => look !== null)),
  };
}

function updatedCandidate(candidate: Candidate, view: RoundView, policy: IncidentPolicy): Candidate {
  const { at } = view.diagnosis;
  const keep = (look: EpochMs | null): Candidate['looks'] =>
    [...candidate.looks, look].slice(-intermittence(policy).of);
  switch (presenceOf(candidate.cause, view)) {
    case 'seen':
      return {
        ...explained(candidate, view),
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

function explained(candidate: Candidate, view: RoundView): Candidate {
  const cause = causeNow(candidate.cause, view);
  const causeSince = cause.id === candidate.cause.id ? candidate.causeSince : view.diagnosis.at;
  return { ...candidate, cause, causeSince };
}

function unlessGap({ cause, clearBefore }: Candidate, at: EpochMs, policy: IncidentPolicy): EpochMs | null {
  return clearBefore === null || isGap(policy, cause.precondition, at - clearBefore) ? null : clearBefore;
}

/**
 * The fault must be detected in enough consecutive rounds or, for an intermittent fault, in enough of the recent
 * rounds. If two witnesses agree, one round fewer is enough.
 */
function isReady({ cause, streak, looks }: Candidate, view: RoundView, policy: IncidentPolicy): boolean {
  if (presenceOf(cause, view) !== 'seen') return false;
  return streak + (isWitnessed(cause, view) ? 1 : 0) >= policy.confirmations || isIntermittent(looks, policy);
}

/**
 * An intermittent fault is rarely detected in `confirmations` consecutive rounds. With the default of 2 confirmations,
 * 5 of the last 10 rounds must detect it. If a round runs every 30 s and 2 % of the rounds fail by chance, a false
 * confirmation occurs once in two years.
 */
function intermittence({ confirmations }: IncidentPolicy): { readonly seen: number; readonly of: number } {
  const seen = 2 * confirmations + 1;
  return { seen, of: 2 * seen };
}

function isIntermittent(looks: Candidate['looks'], policy: IncidentPolicy): boolean {
  return looks.filter((look) => look !== null).length >= intermittence(policy).seen;
}

function beginOf(
  candidate: Candidate,
  policy: IncidentPolicy,
): Pick<Candidate, 'since' | 'causeSince' | 'clearBefore'> {
  const { streak, looks } = candidate;
  const isLasting = streak >= policy.confirmations || !isIntermittent(looks, policy);
  const since = isLasting ? candidate.since : (looks.find((look) => look !== null) ?? candidate.since);
  return {
    since,
    causeSince: Math.max(since, candidate.causeSince),
    clearBefore: isLasting ? candidate.clearBefore : null,
  };
}

function returnsOf({ looks }: Candidate): readonly EpochMs[] {
  const first = looks.findIndex((look) => look !== null);
  return looks.flatMap((look, index) => (look !== null && index > first && looks[index - 1] === null ? [look] : []));
}

function isBeingConfirmed({ cause, looks }: Candidate, view: RoundView): boolean {
  return cause.severity !== 'info' && looks.at(-1) === view.diagnosis.at;
}
