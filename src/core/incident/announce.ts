import type { Severity } from '../cause.ts';
import { SEVERITIES } from '../cause.ts';
import type { EpochMs, Millis } from '../clock.ts';
import { isMuted, sameCause } from './incident.ts';
import type { Incident, IncidentState } from './incident.ts';
import type { IncidentEffect, Step } from './machine-input.ts';
import type { DigestItem, Notification, NotificationEvent } from './notification.ts';
import type { IncidentPolicy } from './policy.ts';

const HOUR: Millis = 3_600_000;
/** A digest is one mail: enough for any list that is still read. */
const MAX_ITEMS = 100;

/**
 * Compares what people were told with what is true, and says what they must hear now. Since nothing is remembered but
 * what was told, whatever kept a notification back (maintenance, a silence, the hourly limit) only has to end.
 */
export function announce(state: IncidentState, now: EpochMs, policy: IncidentPolicy): Step {
  const sent = state.sent.filter((at) => at <= now && now - at < HOUR);
  const current = { ...state, sent, incidents: state.incidents.map((incident) => publish(unskewed(incident, now), state, now)) };
  const due = current.incidents
    .flatMap((incident): readonly DigestItem[] => {
      const event = eventDue(incident, current, { now, policy });
      return event === null ? [] : [{ event, incident }];
    })
    .sort((a, b) => rank(a.incident.cause.severity) - rank(b.incident.cause.severity));
  const { singles, digest, held } = share(due, current, policy);
  const together = digest.length === 0 ? [] : [digest];
  const told = [...singles.map((item) => [item]), ...together].reduce<Step>((step, items) => tell(step, items, { now, policy }), {
    state: current,
    effects: [],
  });
  return { state: hold(told.state, held), effects: told.effects };
}

interface Moment {
  readonly now: EpochMs;
  readonly policy: IncidentPolicy;
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** A wall clock that was set back must not put the reminders off. */
function unskewed(incident: Incident, now: EpochMs): Incident {
  const { told, causeSince } = incident;
  if (causeSince <= now && (told === null || told.at <= now)) return incident;
  return { ...incident, causeSince: Math.min(causeSince, now), told: told === null ? null : { ...told, at: Math.min(told.at, now) } };
}

function publish(incident: Incident, state: IncidentState, now: EpochMs): Incident {
  const visible = incident.status === 'open' && incident.cause.severity !== 'info' && !isMuted(state, incident.cause, now);
  return visible && !incident.published ? { ...incident, published: true } : incident;
}

function eventDue(incident: Incident, state: IncidentState, moment: Moment): DigestItem['event'] | null {
  if (isMuted(state, incident.cause, moment.now)) return null;
  if (incident.status === 'closed') return incident.told !== null || incident.held ? 'resolved' : null;
  if (incident.told === null) return incident.cause.severity === 'info' ? null : 'firing';
  return eventDueAgain(incident, incident.told, moment);
}

function eventDueAgain(
  incident: Incident,
  told: NonNullable<Incident['told']>,
  { now, policy }: Moment,
): Exclude<NotificationEvent, 'digest' | 'firing' | 'resolved'> | null {
  if (rank(incident.cause.severity) < rank(told.severity)) return 'changed';
  const isOther = !sameCause(incident.cause, { id: told.cause, subject: told.subject });
  if (isOther && incident.sight === 'seen' && now - incident.causeSince >= policy.settle) return 'changed';
  const reminds = policy.reminder > 0 && isStanding(incident) && now - told.at >= policy.reminder;
  return reminds ? 'reminder' : null;
}

/** Not on its way to recovery, and not hidden behind something deeper that is told by itself. */
function isStanding({ sight }: Incident): boolean {
  return sight === 'seen' || sight === 'unjudged';
}

interface Shares {
  readonly singles: readonly DigestItem[];
  readonly digest: readonly DigestItem[];
  readonly held: readonly DigestItem[];
}

/** What goes out by itself, what goes out together, and what waits until the hour has room for a digest. */
function share(due: readonly DigestItem[], state: IncidentState, policy: IncidentPolicy): Shares {
  const room = policy.maxPerHour - state.sent.length;
  if (room <= 0) return { singles: [], digest: [], held: due };
  // The last place in the hour is the digest's: what does not fit is told together instead of an hour late.
  const places = policy.maxPerHour === 1 ? room : room - 1;
  const wanted = due.length > policy.burst ? 1 : due.length;
  const singles = due.slice(0, Math.min(wanted, places)).filter((item) => isSingle([item]));
  const rest = due.filter((item) => !singles.includes(item));
  return singles.length < room ? { singles, digest: rest, held: [] } : { singles, digest: [], held: rest };
}

function tell(step: Step, items: readonly DigestItem[], { now, policy }: Moment): Step {
  const counter = step.state.counter + 1;
  const [only] = isSingle(items) ? items : [];
  const notification =
    only === undefined ? digestOf(items, `digest-${String(now)}-${String(counter)}`, now) : single(only, { now, policy });
  const incidents = items.map(({ event, incident }) => threaded(mark(incident, event, now), notification.id));
  return {
    state: {
      ...step.state,
      counter,
      sent: [...step.state.sent, now],
      incidents: step.state.incidents.map((incident) => incidents.find(({ id }) => id === incident.id) ?? incident),
    },
    effects: [...step.effects, { kind: 'notify', notification } satisfies IncidentEffect],
  };
}

function digestOf(items: readonly DigestItem[], id: string, now: EpochMs): Notification {
  return { kind: 'digest', id, at: now, items: items.slice(0, MAX_ITEMS), omitted: Math.max(0, items.length - MAX_ITEMS) };
}

function single({ event, incident }: DigestItem, { now, policy }: Moment): Notification {
  return {
    kind: 'incident',
    id: `${incident.id}.${String(incident.thread.count + 1)}`,
    at: now,
    event,
    incident,
    nextReminder: event === 'resolved' || policy.reminder <= 0 ? null : now + policy.reminder,
  };
}

/** An all-clear for what nobody had heard of goes out within a digest only: "it came and went". */
function isSingle(items: readonly DigestItem[]): boolean {
  return items.length === 1 && items.every(({ event, incident }) => event !== 'resolved' || incident.told !== null);
}

function mark(incident: Incident, event: DigestItem['event'], now: EpochMs): Incident {
  const { severity, id, subject } = incident.cause;
  return { ...incident, held: false, told: event === 'resolved' ? null : { at: now, severity, cause: id, subject } };
}

function threaded(incident: Incident, notificationId: string): Incident {
  const { count, first } = incident.thread;
  return { ...incident, thread: { count: count + 1, first: first ?? notificationId, last: notificationId } };
}

function hold(state: IncidentState, held: readonly DigestItem[]): IncidentState {
  if (held.length === 0) return state;
  return {
    ...state,
    incidents: state.incidents.map((incident) =>
      held.some((item) => item.incident.id === incident.id) ? { ...incident, held: true } : incident,
    ),
  };
}
