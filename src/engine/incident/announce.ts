import { compareSeverity } from '../../core/severity.ts';
import { UNKNOWN_CAUSE } from '../words/unknown.ts';
import type { Cause } from '../cause.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { isSingle, share } from './hourly-limit.ts';
import { isMuted, isOpenFault, isUnverified, withIncidents } from './incident.ts';
import type { Incident, IncidentState, NamedCause, LastNotified } from './incident.ts';
import type { IncidentEffect, IncidentStep } from './machine-input.ts';
import type { DigestItem, Notification, NotificationEvent, OpenCause } from './notification.ts';
import type { IncidentPolicy, Moment } from './policy.ts';

const HOUR: Millis = 3_600_000;
/** A digest is one mail: enough for any list that is still read. */
const MAX_ITEMS = 100;

/**
 * Compares what people were told with what is true, and says what they must hear now. Since nothing is remembered but
 * what was told, whatever kept a notification back (maintenance, a silence, the hourly limit) only has to end.
 */
export function announce(state: IncidentState, now: EpochMs, policy: IncidentPolicy): IncidentStep {
  const sent = state.sent.filter((at) => at <= now && now - at < HOUR);
  const current = {
    ...state,
    sent,
    incidents: state.incidents.map((incident) => publish(unskewed(incident, now), state, now)),
  };
  if (!policy.tells) return { state: current, effects: [] };
  const due = current.incidents
    .flatMap((incident): readonly DigestItem[] => {
      const event = eventDue(incident, current, { now, policy });
      return event === null ? [] : [{ event, incident }];
    })
    .sort(byUrgency);
  const { singles, digest, held } = share(due, current, policy);
  const together = digest.length === 0 ? [] : [digest];
  const announced = [...singles.map((item) => [item]), ...together].reduce<IncidentStep>(
    (step, items) => tell(step, items, { now, policy }),
    { state: current, effects: [] },
  );
  return { state: deferred(announced.state, held), effects: announced.effects };
}

/** Gravest first, and what began before what is over. */
function byUrgency(a: DigestItem, b: DigestItem): number {
  return (
    compareSeverity(a.incident.cause.severity, b.incident.cause.severity) ||
    Number(a.event === 'resolved') - Number(b.event === 'resolved')
  );
}

/** A wall clock that was set back must not put the reminders off. */
function unskewed(incident: Incident, now: EpochMs): Incident {
  const { lastNotified, causeSince } = incident;
  return {
    ...incident,
    causeSince: Math.min(causeSince, now),
    lastNotified: lastNotified === null ? null : { ...lastNotified, at: Math.min(lastNotified.at, now) },
  };
}

function publish(incident: Incident, state: IncidentState, now: EpochMs): Incident {
  const isNews = isOpenFault(incident) && !isUnverified(incident) && !isMuted(state, incident.cause, now);
  const published = incident.published || isNews;
  return { ...incident, published };
}

function eventDue(incident: Incident, state: IncidentState, moment: Moment): DigestItem['event'] | null {
  if (isUnverified(incident) || isMuted(state, incident.cause, moment.now)) return null;
  if (incident.status === 'closed') return incident.lastNotified !== null || incident.awaitsDigest ? 'resolved' : null;
  // What the last round did not show is not news any more: it ends, or is seen again.
  if (incident.lastNotified === null)
    return incident.cause.severity === 'info' || incident.presence === 'absent' ? null : 'firing';
  return eventDueAgain(incident, incident.lastNotified, moment);
}

function eventDueAgain(
  incident: Incident,
  lastNotified: LastNotified,
  { now, policy }: Moment,
): Exclude<NotificationEvent, 'digest' | 'firing' | 'resolved'> | null {
  if (incident.presence === 'seen' && !isNamed(incident.cause, lastNotified)) return 'changed';
  const reminds =
    policy.reminder > 0 &&
    incident.acknowledgement === null &&
    lasts(incident) &&
    now - lastNotified.at >= policy.reminder;
  return reminds ? 'reminder' : null;
}

/**
 * People were told of this cause, as grave as it is now, since the incident began. The last word says whether anything
 * is known.
 */
function isNamed({ id, subject, severity }: Cause, { named, cause }: LastNotified): boolean {
  if ((cause === UNKNOWN_CAUSE) !== (id === UNKNOWN_CAUSE)) return false;
  return named.some(
    (one) => one.cause === id && one.subject === subject && compareSeverity(one.severity, severity) <= 0,
  );
}

/**
 * Not on its way to recovery, and not hidden behind something deeper that is told by itself. That nothing is known is
 * told once.
 */
function lasts({ presence, cause }: Incident): boolean {
  return cause.id !== UNKNOWN_CAUSE && (presence === 'seen' || presence === 'unjudged');
}

function tell(step: IncidentStep, items: readonly DigestItem[], { now, policy }: Moment): IncidentStep {
  const counter = step.state.counter + 1;
  const [only] = isSingle(items) ? items : [];
  const notification =
    only === undefined ? digestOf(items, step.state, { counter, now }) : single(only, step.state, { now, policy });
  const incidents = items.map(({ event, incident }) => threaded(mark(incident, event, now), notification.id));
  return {
    state: withIncidents({ ...step.state, counter, sent: [...step.state.sent, now] }, incidents),
    effects: [...step.effects, { kind: 'notify', notification } satisfies IncidentEffect],
  };
}

function digestOf(
  items: readonly DigestItem[],
  state: IncidentState,
  { counter, now }: { readonly counter: number; readonly now: EpochMs },
): Notification {
  return {
    kind: 'digest',
    id: `digest-${String(now)}-${state.origin}-${String(counter)}`,
    at: now,
    items: items.slice(0, MAX_ITEMS),
    omitted: Math.max(0, items.length - MAX_ITEMS),
    stillOpen: stillOpen(state, items),
  };
}

function single(item: DigestItem, state: IncidentState, { now, policy }: Moment): Notification {
  const { event, incident } = item;
  return {
    kind: 'incident',
    id: singleId(incident, state.origin),
    at: now,
    event,
    incident,
    nextReminder: event === 'resolved' || policy.reminder <= 0 ? null : now + policy.reminder,
    stillOpen: stillOpen(state, [item]),
  };
}

/**
 * A store that was put back counts on from the copy, as the daemon did that went on after it. What both tell differs,
 * and a mail server drops the second message with a name: where the incident is not of this origin, the name has both.
 */
function singleId({ id, thread }: Incident, origin: string): string {
  const name = `${id}.${String(thread.count + 1)}`;
  return id.includes(`-${origin}-`) ? name : `${name}-${origin}`;
}

/** The other faults, told or not, gravest first: what an all-clear must not hide. */
function stillOpen({ incidents }: IncidentState, items: readonly DigestItem[]): readonly OpenCause[] {
  return incidents
    .filter((open) => isOpenFault(open) && !items.some(({ incident }) => incident.id === open.id))
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity))
    .slice(0, MAX_ITEMS)
    .map(({ cause: { id, subject, severity, product, culprit }, causeSince: since }) => ({
      id,
      subject,
      severity,
      product,
      ...(culprit === undefined ? {} : { culprit }),
      since,
    }));
}

function mark(incident: Incident, event: DigestItem['event'], now: EpochMs): Incident {
  if (event === 'resolved') return { ...incident, awaitsDigest: false, lastNotified: null };
  const { severity, id, subject } = incident.cause;
  const word: NamedCause = { severity, cause: id, subject };
  const named = incident.lastNotified?.named ?? [];
  const isSame = (one: NamedCause): boolean => one.cause === id && one.subject === subject;
  // One that was told as graver before stays so: its falling back is no news, nor is its return.
  const gravest = named.find((one) => isSame(one) && compareSeverity(one.severity, severity) < 0) ?? word;
  const lastNotified = { at: now, ...word, named: [...named.filter((one) => !isSame(one)), gravest] };
  return { ...incident, awaitsDigest: false, lastNotified };
}

function threaded(incident: Incident, notificationId: string): Incident {
  const { count, first } = incident.thread;
  return { ...incident, thread: { count: count + 1, first: first ?? notificationId, last: notificationId } };
}

function deferred(state: IncidentState, held: readonly DigestItem[]): IncidentState {
  const waiting = state.incidents.filter(({ id }) => held.some(({ incident }) => incident.id === id));
  return withIncidents(
    state,
    waiting.map((incident) => ({ ...incident, awaitsDigest: true })),
  );
}
