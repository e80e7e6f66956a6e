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
  type Candidate,
  isGap,
  type Moment,
  isOpenFault,
} from './incident.ts';
import {
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
import { isInOnePlace, mergeAlternating, mergeUnjudged } from './merge.ts';
import { UNKNOWN_CAUSE } from '../words.ts';

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
    effects: [],
  });
  const merged = mergeUnjudged(mergeAlternating(state, placed, view), view.diagnosis.at);
  return closeRecovered(withFlapping(merged, { now: view.diagnosis.at, policy }), view, policy);
}

function updated(incident: Incident, view: RoundView, state: IncidentState, policy: IncidentPolicy): Incident {
  const now = view.diagnosis.at;
  const presence = presenceOf(incident.cause, view);
  switch (presence) {
    case 'seen':
      return {
        ...renewed(incident, view, state),
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
  const cause = view.causes.find((other) => sameCause(other, incident.cause));
  return cause === undefined || isRaisedTooSoon(cause, incident, view, state) || isExplainedOnce(cause, incident, view)
    ? incident
    : withCauseDetails(incident, cause, { since: now, now });
}

/**
 * A single round's explanation that contradicts the incident does not replace the incident's explanation, because the
 * fault may have ended during this round.
 */
function isExplainedOnce(cause: Cause, incident: Incident, { checks, looks }: RoundView): boolean {
  if (cause.kind === incident.cause.kind || cause.culprit !== undefined || !isOnPath(cause, checks)) return false;
  const before = looks?.get(cause.precondition)?.causes.find((other) => sameCause(other, cause));
  return before?.kind !== cause.kind;
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
  const isOutage = (one: Incident): boolean =>
    isOpenFault(one) && one.cause.severity === 'critical' && isOnPath(one.cause, checks);
  return knownCause(checks, cause.id).words.brokenPath !== undefined && !incidents.some(isOutage);
}

/** A different severity counts as a changed cause. Only a higher severity ends the acknowledgement. */
function withCauseDetails(incident: Incident, cause: Cause, times: Parameters<typeof withCause>[2]): Incident {
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

/** The cause either continues another open incident, reopens its former incident, or opens a new one. */
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

function reopened(incident: Incident, candidate: Candidate, present: Moment): Incident {
  const { since, clearBefore } = beginOf(candidate, present.policy);
  const { openedAt, lastSeen, closedAt, clear } = incident;
  return {
    ...withCauseDetails({ ...incident, attached: [] }, candidate.cause, { since, now: present.now }),
    ...seenAgain(present.now),
    status: 'open',
    openingEvidence: candidate.cause.evidence,
    openingPolicyReport: candidate.cause.policyReport ?? null,
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
    openingPolicyReport: candidate.cause.policyReport ?? null,
    attached: [],
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
    subjectKind: 'observed',
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

/** Counts the outages of this incident and of closed incidents about the same target. */
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
  return isInOnePlace(incident.cause, cause) || continuedBy([incident], cause, view) !== null;
}

function hasRecovered(incident: Incident, { diagnosis: { at } }: RoundView, policy: IncidentPolicy): boolean {
  const { status, presence, streak, flapping, lastSeen } = incident;
  const quiet = flapping ? policy.flapping.quiet : 0;
  return status === 'open' && presence === 'absent' && streak >= policy.recoveries && at - lastSeen >= quiet;
}

/**
 * Returns the open incident that a newly confirmed cause continues. An incident whose own cause is still reported is
 * never continued. Any other incident is continued in one of these cases:
 * - The incident had this cause before.
 * - This cause confirms the incident's suspicion.
 * - The incident's cause is part of this cause.
 * - This cause is `precondition-unknown` for the incident's precondition.
 * - This cause explains the incident, and the incident's findings are still there.
 */
function continuedBy(incidents: readonly Incident[], cause: Cause, view: RoundView): Incident | null {
  if (cause.severity === 'info') return null;
  const open = incidents.filter(
    (incident) => isOpenFault(incident) && !view.causes.some((present) => sameCause(present, incident.cause)),
  );
  return (
    open.find(({ formerCauses }) => formerCauses.some((former) => sameCause(former, cause))) ??
    open.find(
      (incident) =>
        settlesSuspicion(cause, incident.cause) ||
        isWholeOf(cause, incident.cause, view.checks) ||
        (cause.id === UNKNOWN_CAUSE && incident.cause.precondition === cause.precondition) ||
        isCauseOf(cause, incident.cause, view),
    ) ??
    null
  );
}

function settlesSuspicion(cause: Cause, before: Cause): boolean {
  return (
    before.confidence === 'suspected' &&
    cause.confidence === 'confirmed' &&
    before.precondition === cause.precondition &&
    before.subject === cause.subject
  );
}

function isWholeOf(whole: Cause, part: Cause, checks: readonly Check[]): boolean {
  return (
    whole.subject === part.subject &&
    whole.precondition === part.precondition &&
    checks.find(({ id }) => id === part.precondition)?.causes[part.id]?.partOf === whole.id
  );
}

function isCauseOf(cause: Cause, symptom: Cause, view: RoundView): boolean {
  return cause.consequences.includes(symptom.precondition) && showsStill(symptom, view);
}

/**
 * Processes the last round again after an answer has arrived late, for example from a firewall. No checks are counted
 * and no incident recovers, because nothing was checked again.
 */
function revise(before: IncidentState, view: RoundView, policy: IncidentPolicy): IncidentStep {
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

/**
 * Returns the re-evaluated cause, or the cause that replaces it. Null if the replacement already has an incident or
 * candidate.
 */
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
  if (cause === null || isRaisedTooSoon(cause, incident, view, state)) return { state, effects };
  const isSame = sameCause(cause, incident.cause);
  const times = { since: at, now: at };
  const revised = isSame ? withCauseDetails(incident, cause, times) : withCause(incident, cause, times);
  return {
    state: withIncidents(state, [revised]),
    effects: isSame ? effects : [...effects, { kind: 'transition', transition: 'changed', incident: revised }],
  };
}

interface Candidates {
  /** Causes that were detected in this round and often enough overall to open an incident. */
  readonly ready: readonly Candidate[];
  readonly waiting: readonly Candidate[];
}

/** A candidate is not changed if the round could not check it. */
function lookForCandidates(state: IncidentState, view: RoundView, policy: IncidentPolicy): Candidates {
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
 * The cause must be detected in enough consecutive rounds or, for an intermittent fault, in enough of the recent
 * rounds. If two witnesses agree, one round fewer is enough.
 */
function isReady({ cause, streak, looks }: Candidate, view: RoundView, policy: IncidentPolicy): boolean {
  if (presenceOf(cause, view) !== 'seen') return false;
  const witnessed = view.corroborated.some((other) => sameCause(other, cause)) ? 1 : 0;
  return streak + witnessed >= policy.confirmations || isIntermittent(looks, policy);
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
  { since, clearBefore, streak, looks }: Candidate,
  policy: IncidentPolicy,
): Pick<Candidate, 'since' | 'clearBefore'> {
  if (streak >= policy.confirmations || !isIntermittent(looks, policy)) return { since, clearBefore };
  return { since: looks.find((look) => look !== null) ?? since, clearBefore: null };
}

function returnsOf({ looks }: Candidate): readonly EpochMs[] {
  const first = looks.findIndex((look) => look !== null);
  return looks.flatMap((look, index) => (look !== null && index > first && looks[index - 1] === null ? [look] : []));
}

function isBeingConfirmed({ cause, looks }: Candidate, view: RoundView): boolean {
  return cause.severity !== 'info' && looks.at(-1) === view.diagnosis.at;
}
