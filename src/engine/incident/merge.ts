import type { Cause } from '../model.ts';
import type { EpochMs } from '../../core/clock.ts';
import {
  formerOf,
  withFormer,
  isOpenFault,
  isUnchecked,
  MAX_EARLIER,
  sameCause,
  withIncidents,
  type FormerCause,
  type Incident,
  type IncidentState,
  type LastNotified,
} from './incident.ts';
import { UNKNOWN_CAUSE } from '../words.ts';
import type { IncidentStep, RoundView } from './round-view.ts';

/**
 * Merges two incidents in the same place if their faults alternate. The incident that was already reported as open
 * keeps its ID; if there is none, the older incident does. Only the incident that keeps its ID is later reported as
 * resolved.
 * @param before the state before this round
 */
export function mergeAlternating(before: IncidentState, placed: IncidentStep, view: RoundView): IncidentStep {
  const now = view.diagnosis.at;
  return before.incidents.reduce<IncidentStep>((step, known) => {
    const incident = step.state.incidents.find(({ id }) => id === known.id);
    if (
      incident === undefined ||
      incident.presence !== 'seen' ||
      !isOpenFault(incident) ||
      !hadCause(known, incident.cause)
    )
      return step;
    const others = step.state.incidents.filter((other) => alternates(incident, other, known));
    return others.reduce<Merged>(
      (merged, other) => joined(merged, together(merged.incident, other, known, now), other, now),
      {
        step,
        incident,
      },
    ).step;
  }, placed);
}

/** Merges incidents whose precondition has become unknown into the incident that reports this. */
export function mergeUnjudged(placed: IncidentStep, now: EpochMs): IncidentStep {
  const unknown = placed.state.incidents.filter(
    ({ status, cause, presence }) => status === 'open' && cause.id === UNKNOWN_CAUSE && presence === 'seen',
  );
  return unknown.reduce((step, incident) => {
    const others = step.state.incidents.filter(
      (other) =>
        other.id !== incident.id &&
        other.status === 'open' &&
        (other.presence === 'unjudged' || isUnchecked(other)) &&
        other.cause.precondition === incident.cause.precondition,
    );
    return others.reduce<Merged>(
      (merged, other) => {
        const { incident: one } = merged;
        const both = { ...one, ...sharedBy(one, other), formerCauses: withFormer(one, formerCausesOf(other, now)) };
        return joined(merged, both, other, now);
      },
      { step, incident },
    ).step;
  }, placed);
}

interface Merged {
  readonly step: IncidentStep;
  readonly incident: Incident;
}

function hadCause({ cause, formerCauses }: Incident, now: Cause): boolean {
  return [cause, ...formerCauses].some((before) => sameCause(before, now));
}

/** The other fault began while this fault was absent, and disappeared when this fault returned. */
function alternates(incident: Incident, other: Incident, known: Incident): boolean {
  return (
    isOpenFault(other) &&
    (other.presence === 'absent' || other.presence === 'hidden') &&
    other.since > known.lastSeen &&
    isInOnePlace(incident.cause, other.cause)
  );
}

export function isInOnePlace(a: Cause, b: Cause): boolean {
  return (
    (a.precondition === b.precondition && a.subject === b.subject) ||
    a.consequences.includes(b.precondition) ||
    b.consequences.includes(a.precondition)
  );
}

/** @param both the continued incident, with the combined data from both incidents */
function joined({ step, incident }: Merged, both: Incident, other: Incident, now: EpochMs): Merged {
  const [kept, gone] =
    incident.lastNotified === null && other.lastNotified !== null ? [other, incident] : [incident, other];
  const one: Incident = {
    ...both,
    id: kept.id,
    openedAt: kept.openedAt,
    attached: [...kept.attached, ...gone.attached],
    merged: [...kept.merged, ...gone.merged, gone.id],
    thread: {
      count: kept.thread.count,
      first: kept.thread.first ?? gone.thread.first,
      last: other.thread.last ?? incident.thread.last,
    },
  };
  const over = {
    status: 'closed',
    acknowledgement: null,
    closedAt: now,
    lastNotified: null,
    awaitsDigest: false,
  } as const;
  const ended: Incident = { ...gone, ...over, mergedInto: kept.id };
  return {
    incident: one,
    step: {
      state: withIncidents(step.state, [one, ended]),
      effects: [
        ...step.effects,
        { kind: 'transition', transition: 'merged', incident: ended },
        { kind: 'transition', transition: 'changed', incident: one },
      ],
    },
  };
}

/** @param known the same incident, as it was before this round */
function together(incident: Incident, other: Incident, known: Incident, now: EpochMs): Incident {
  const back = incident.returns.findLast((at) => at > known.lastSeen) ?? now;
  // The cause's occurrence before the absence becomes a former cause, unless an earlier merge has already recorded it.
  const before =
    incident.causeSince > known.lastSeen ? [] : [formerOf({ ...incident, lastSeen: known.lastSeen }, back)];
  return {
    ...incident,
    ...sharedBy(incident, other),
    formerCauses: withFormer(incident, [...before, ...formerCausesOf(other, now)]),
    causeSince: back,
    returns: incident.returns.includes(back) ? incident.returns : [...incident.returns, back],
  };
}

type Shared = Pick<Incident, 'since' | 'clear' | 'earlier' | 'lastNotified' | 'awaitsDigest'>;

function sharedBy(incident: Incident, other: Incident): Shared {
  return {
    since: Math.min(incident.since, other.since),
    clear: { before: (other.since < incident.since ? other : incident).clear.before, after: incident.clear.after },
    earlier: [...other.earlier, ...incident.earlier].toSorted((a, b) => a.since - b.since).slice(-MAX_EARLIER),
    lastNotified: lastNotifiedOf(incident.lastNotified, other.lastNotified),
    awaitsDigest: incident.awaitsDigest || other.awaitsDigest,
  };
}

function formerCausesOf(other: Incident, now: EpochMs): readonly FormerCause[] {
  return [...other.formerCauses, formerOf(other, now)];
}

function lastNotifiedOf(a: LastNotified | null, b: LastNotified | null): LastNotified | null {
  if (a === null || b === null) return a ?? b;
  return { ...(a.at > b.at ? a : b), named: [...a.named, ...b.named] };
}
