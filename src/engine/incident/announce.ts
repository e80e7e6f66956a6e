import { compareSeverity } from '../../core/severity.ts';
import { UNKNOWN_CAUSE } from '../words.ts';
import type { Cause } from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import {
  incidentsOf,
  isMuted,
  isOpenFault,
  isUnchecked,
  observedOf,
  withIncidents,
  type Incident,
  type IncidentState,
  type NamedCause,
  type LastNotified,
  type DigestItem,
  type Notification,
  type NotificationEvent,
  type OpenCause,
  type IncidentPolicy,
  type Moment,
} from './incident.ts';
import type { IncidentEffect, IncidentStep } from './round-view.ts';

const HOUR: Millis = 3_600_000;
const MAX_ITEMS = 100;
/** More than any site has, because the subject contains the number. */
const MAX_STILL_OPEN = 1_000;

/**
 * Compares the sent notifications with the current state. Only sent notifications are stored, so nothing has to be
 * replayed when maintenance or a silence ends.
 */
export function announce(state: IncidentState, now: EpochMs, policy: IncidentPolicy): IncidentStep {
  const sent = state.sent.filter((at) => at <= now && now - at < HOUR);
  const current = {
    ...state,
    sent,
    incidents: state.incidents.map((incident) => withSubjectKind(publish(unskewed(incident, now), state, now), policy)),
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

/** Most severe first, and new faults before resolved faults. */
function byUrgency(a: DigestItem, b: DigestItem): number {
  return (
    compareSeverity(a.incident.cause.severity, b.incident.cause.severity) ||
    Number(a.event === 'resolved') - Number(b.event === 'resolved')
  );
}

/** Replaces future times, so that no text contains them and reminders are not postponed after a step back. */
function unskewed(incident: Incident, now: EpochMs): Incident {
  const { lastNotified, since, openedAt, lastSeen, causeSince } = incident;
  return {
    ...incident,
    since: Math.min(since, now),
    openedAt: Math.min(openedAt, now),
    lastSeen: Math.min(lastSeen, now),
    causeSince: Math.min(causeSince, now),
    lastNotified: lastNotified === null ? null : { ...lastNotified, at: Math.min(lastNotified.at, now) },
  };
}

function publish(incident: Incident, state: IncidentState, now: EpochMs): Incident {
  const isNews = isOpenFault(incident) && !isUnchecked(incident) && !isMuted(state, incident.cause, now);
  const published = incident.published || isNews;
  return { ...incident, published };
}

function withSubjectKind(incident: Incident, { isConfigured }: IncidentPolicy): Incident {
  if (incident.status === 'closed') return incident;
  return { ...incident, subjectKind: isConfigured(incident.cause.subject) ? 'configured' : 'observed' };
}

function eventDue(incident: Incident, state: IncidentState, moment: Moment): DigestItem['event'] | null {
  if (isUnchecked(incident) || isMuted(state, incident.cause, moment.now)) return null;
  if (incident.status === 'closed') return incident.lastNotified !== null || incident.awaitsDigest ? 'resolved' : null;
  // A cause that the last round did not detect is not reported yet, because it may be about to end.
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
    hasReminders(incident.cause, policy) &&
    incident.acknowledgement === null &&
    lasts(incident) &&
    now - lastNotified.at >= policy.reminder;
  return reminds ? 'reminder' : null;
}

function hasReminders({ isEvent }: Cause, { reminder }: Moment['policy']): boolean {
  return reminder > 0 && isEvent !== true;
}

/** A change from or to "unknown" is always sent. Any other cause is sent again only at a higher severity. */
function isNamed({ id, subject, severity }: Cause, { named, cause }: LastNotified): boolean {
  if ((cause === UNKNOWN_CAUSE) !== (id === UNKNOWN_CAUSE)) return false;
  return named.some(
    (one) => one.cause === id && one.subject === subject && compareSeverity(one.severity, severity) <= 0,
  );
}

/** No reminders are sent while the incident is recovering, a deeper fault hides it, or the state is unknown. */
function lasts({ presence, cause }: Incident): boolean {
  return cause.id !== UNKNOWN_CAUSE && (presence === 'seen' || presence === 'unjudged');
}

function tell(step: IncidentStep, items: readonly DigestItem[], { now, policy }: Moment): IncidentStep {
  const counter = step.state.counter + 1;
  const [only] = isSingle(items) ? items : [];
  const notification =
    only === undefined ? digestOf(items, step.state, { counter, now }) : single(only, step.state, { now, policy });
  const incidents = items.map(({ event, incident }) => threaded(mark(incident, event, now), notification.id));
  const sent = items.every(isAllClear) ? step.state.sent : [...step.state.sent, now];
  return {
    state: withIncidents({ ...step.state, counter, sent }, incidents),
    effects: [...step.effects, { kind: 'notify', notification } satisfies IncidentEffect],
  };
}

function digestOf(
  items: readonly DigestItem[],
  state: IncidentState,
  { counter, now }: { readonly counter: number; readonly now: EpochMs },
): Notification {
  const open = items.filter(isOpenItem);
  // Open incidents take precedence. Otherwise, the message could read like an all-clear.
  const chosen = new Set([...open, ...items.filter((item) => !isOpenItem(item))].slice(0, MAX_ITEMS));
  const listed = items.filter((item) => chosen.has(item));
  return {
    kind: 'digest',
    id: `digest-${String(now)}-${state.origin}-${String(counter)}`,
    at: now,
    items: listed,
    omitted: items.length - listed.length,
    omittedOpen: open.length - listed.filter(isOpenItem).length,
    stillOpen: stillOpen(state, items),
  };
}

function isOpenItem({ incident }: DigestItem): boolean {
  return incident.status === 'open';
}

function single(item: DigestItem, state: IncidentState, { now, policy }: Moment): Notification {
  const { event, incident } = item;
  return {
    kind: 'incident',
    id: singleId(incident, state.origin),
    at: now,
    event,
    incident,
    nextReminder: event !== 'resolved' && hasReminders(incident.cause, policy) ? now + policy.reminder : null,
    stillOpen: stillOpen(state, [item]),
  };
}

/**
 * After a restore from a backup, the store may reuse a number that the original daemon used for a different message. A
 * mail server would drop the second message with the same ID. Therefore, if the incident has a different origin, the ID
 * contains both origins.
 */
function singleId({ id, thread }: Incident, origin: string): string {
  const name = `${id}.${String(thread.count + 1)}`;
  return id.includes(`-${origin}-`) ? name : `${name}-${origin}`;
}

function stillOpen({ incidents }: IncidentState, items: readonly DigestItem[]): readonly OpenCause[] {
  return incidents
    .filter((open) => isOpenFault(open) && !items.some(({ incident }) => incident.id === open.id))
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity))
    .slice(0, MAX_STILL_OPEN)
    .map(openCauseOf);
}

/**
 * Adds the incidents that opened and were sent after the notification was created. Without them, a notification that is
 * delivered late would be an all-clear for them.
 */
export function withLaterOpen(notification: Notification, incidents: readonly Incident[]): Notification {
  if (notification.kind !== 'incident' && notification.kind !== 'digest') return notification;
  const own = new Set(incidentsOf(notification).map(({ id }) => id));
  const later = incidents
    .filter((one) => isOpenFault(one) && one.openedAt > notification.at && one.lastNotified !== null)
    .filter(({ id }) => !own.has(id));
  if (later.length === 0) return notification;
  const all = [...later.map(openCauseOf), ...notification.stillOpen];
  all.sort((a, b) => compareSeverity(a.severity, b.severity));
  return { ...notification, stillOpen: all.slice(0, MAX_STILL_OPEN) };
}

export function openCauseOf({ cause, causeSince: since }: Incident): OpenCause {
  const { id, subject, severity, kind, product, culprit } = cause;
  const more = { ...(kind === undefined ? {} : { kind }), ...(culprit === undefined ? {} : { culprit }) };
  return { id, subject, severity, product, ...more, ...observedOf(cause), since };
}

function mark(incident: Incident, event: DigestItem['event'], now: EpochMs): Incident {
  if (event === 'resolved') return { ...incident, awaitsDigest: false, lastNotified: null };
  const { severity, id, subject } = incident.cause;
  const word: NamedCause = { severity, cause: id, subject, ...observedOf(incident.cause) };
  const named = incident.lastNotified?.named ?? [];
  const isSame = (one: NamedCause): boolean => one.cause === id && one.subject === subject;
  // Keeps the highest severity that was sent, so that no further notification is sent if the severity drops or the
  // cause returns.
  const highest = named.find((one) => isSame(one) && compareSeverity(one.severity, severity) < 0) ?? word;
  const lastNotified = { at: now, ...word, named: [...named.filter((one) => !isSame(one)), highest] };
  return { ...incident, awaitsDigest: false, lastNotified };
}

function threaded(incident: Incident, notificationId: string): Incident {
  const { count, first } = incident.thread;
  return { ...incident, thread: { count: count + 1, first: first ?? notificationId, last: notificationId } };
}

/** Also removes the mark if the notification is no longer due, for example because the former cause has returned. */
function deferred(state: IncidentState, held: readonly DigestItem[]): IncidentState {
  const ids = new Set(held.map(({ incident }) => incident.id));
  const incidents = state.incidents.map((incident) => {
    // The end of an incident that was never sent as firing is sent only because of the mark.
    const isUnsent = incident.awaitsDigest && incident.lastNotified === null;
    return { ...incident, awaitsDigest: isUnsent || ids.has(incident.id) };
  });
  return { ...state, incidents };
}

interface Shares {
  readonly singles: readonly DigestItem[];
  readonly digest: readonly DigestItem[];
  readonly held: readonly DigestItem[];
}

/**
 * The hourly limit never holds back a new critical cause, or the end of a fault whose beginning was sent. If many are
 * due at once, they become a digest.
 */
function share(due: readonly DigestItem[], { sent }: IncidentState, policy: IncidentPolicy): Shares {
  const urgent = due.filter(isUrgent);
  const most = due.length > policy.burst ? 1 : due.length;
  const room = policy.maxPerHour - sent.length - Math.min(urgent.length, most);
  // The last permitted notification per hour is reserved for a digest, so that the remaining notifications are not
  // delayed by an hour.
  const places = Math.max(0, policy.maxPerHour === 1 ? room : room - 1);
  const placed = due.filter(isLimited).slice(0, places);
  const next = due.filter((item) => isAllClear(item) || placed.includes(item));
  const singles = [...urgent, ...next].slice(0, most).filter((item) => isSingle([item]));
  const rest = due.filter((item) => !singles.includes(item));
  if (room > singles.filter(isLimited).length) return { singles, digest: rest, held: [] };
  return { singles, digest: rest.filter((item) => !isLimited(item)), held: rest.filter(isLimited) };
}

function isLimited(item: DigestItem): boolean {
  return !isUrgent(item) && !isAllClear(item);
}

function isUrgent({ event, incident }: DigestItem): boolean {
  return incident.cause.severity === 'critical' && (event === 'firing' || event === 'changed');
}

/** There is at most one for each sent beginning, so the limit of the beginnings is enough. */
function isAllClear({ event, incident }: DigestItem): boolean {
  return event === 'resolved' && incident.lastNotified !== null;
}

/** A resolved fault that was never sent as firing is sent only in a digest. */
function isSingle(items: readonly DigestItem[]): boolean {
  return items.length === 1 && items.every((item) => item.event !== 'resolved' || isAllClear(item));
}

export function heldIn({ incidents }: IncidentState): readonly Incident[] {
  return incidents.filter(({ awaitsDigest }) => awaitsDigest);
}
