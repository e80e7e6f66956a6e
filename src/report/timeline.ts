import type { EpochMs } from '../core/clock.ts';
import { type Incident, type Occurrence, type OutboxEntry, lastedText, eventOf } from '../engine/incident/incident.ts';
import { channelWords } from '../notify/channels/registry.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import { isoTime, isoTimeOrNull, isWithin, type Period } from '../core/time-text.ts';
import { counted } from '../core/visible-text.ts';
import type { Mask } from '../text/mask.ts';
import { maskedCause, type LogMemory } from './report-contents.ts';
import type { ApplianceLog, FirewallSighting, SignatureLog } from '../core/polling/state.ts';

/** Past events that a daemon has saved. */
export interface Timeline {
  /** Explains why the history is missing or incomplete. */
  readonly note: string | null;
  readonly incidents: readonly TimelineIncident[];
  readonly events: readonly TimelineEvent[];
}

export type TimelineIncident = ReturnType<typeof incidentOf>;

interface TimelineEvent {
  /** In ISO 8601 format in UTC. */
  readonly at: string;
  readonly kind: 'seen' | 'opened' | 'understood-anew' | 'returned' | 'closed' | 'notification';
  /** Null for test messages and for notifications about several incidents. */
  readonly incident: string | null;
  readonly text: string;
}

type Event = Omit<TimelineEvent, 'at'> & { readonly at: EpochMs };

/** Evidence is masked like log lines, because it may quote them. */
export function timelineOf(history: StoredHistory, mask: Mask): Timeline {
  switch (history.kind) {
    case 'none':
      return { note: 'There is no history, because no daemon has used this store', incidents: [], events: [] };
    case 'unreadable':
      return { note: `The history cannot be read: ${mask.line(history.message)}`, incidents: [], events: [] };
    case 'read':
      break;
  }
  const incidents = history.incidents.map((incident) => ({ ...incident, cause: maskedCause(incident.cause, mask) }));
  const events = [
    ...incidents.flatMap(transitionsOf),
    ...history.outboxEntries.map((outboxEntry) => notificationEvent(outboxEntry, mask)),
  ];
  return {
    note: omission(history.olderIncidents, history.olderEntries),
    incidents: incidents.map(incidentOf),
    events: events.toSorted((a, b) => a.at - b.at).map((event) => ({ ...event, at: isoTime(event.at) })),
  };
}

function omission(incidents: number, outboxEntries: number): string | null {
  if (incidents === 0 && outboxEntries === 0) return null;
  return `Older entries are left out: ${counted(incidents, 'incident')}, ${counted(outboxEntries, 'notification')}`;
}

function incidentOf(incident: Incident) {
  const { id, status, earlier, cause, thread } = incident;
  return {
    id,
    status,
    ...occurrenceOf(incident),
    /** Oldest first. */
    earlier: earlier.map(occurrenceOf),
    cause,
    notifications: thread.count,
  };
}

function occurrenceOf(occurrence: Occurrence) {
  const { since, openedAt, lastSeen, closedAt } = occurrence;
  return {
    since: isoTime(since),
    openedAt: isoTime(openedAt),
    lastSeen: isoTime(lastSeen),
    closedAt: isoTimeOrNull(closedAt),
    /** In words, such as `about 51 s`. Null while the incident is open. */
    lasted: closedAt === null ? null : lastedText(occurrence),
  };
}

function transitionsOf(incident: Incident): readonly Event[] {
  const { id, cause, formerCauses, returns } = incident;
  const first = formerCauses[0] ?? cause;
  const occurrences = [...incident.earlier, incident];
  return [
    ...occurrences.flatMap(({ since, openedAt, closedAt }, index): readonly Event[] => [
      {
        at: since,
        kind: 'seen',
        incident: id,
        text: `${index === 0 ? 'Seen for the first time' : 'Seen again'}: ${first.id} (${first.subject})`,
      },
      { at: openedAt, kind: 'opened', incident: id, text: 'The fault was confirmed and the incident was opened' },
      ...(closedAt === null
        ? []
        : [{ at: closedAt, kind: 'closed', incident: id, text: 'The incident was resolved' } as const]),
    ]),
    ...formerCauses.map((former, index): Event => {
      const next = formerCauses[index + 1] ?? cause;
      const text = `The cause changed to ${next.id} (${next.subject}) from ${former.id} (${former.subject})`;
      return { at: former.until, kind: 'understood-anew', incident: id, text };
    }),
    ...returns
      .filter((at) => occurrences.every(({ since }) => since !== at))
      .map((at): Event => ({ at, kind: 'returned', incident: id, text: 'The fault returned' })),
  ];
}

function notificationEvent({ delivery, notification }: OutboxEntry, mask: Mask): Event {
  const { channel, recipient, status, attempts, finishedAt, detail } = delivery;
  const { name, recipients } = channelWords(channel);
  const isMail = recipients === 'mail-address';
  const to = isMail ? `${name} to ${mask.mailAddresses(recipient)}` : `${name} ${placeOf(recipient, recipients, mask)}`;
  const reply = mask.line(isMail ? detail : withoutPath(detail, recipient));
  const said = reply === '' ? '' : `: ${reply}`;
  const end = finishedAt === null ? '' : ` at ${isoTime(finishedAt)}`;
  const tries = counted(attempts, 'attempt');
  const text = `Notification "${eventOf(notification)}", ${to}: ${status}${end}, ${tries}${said}`;
  const incident = notification.kind === 'incident' ? notification.incident.id : null;
  return { at: delivery.createdAt, kind: 'notification', incident, text };
}

/** Removes the secret path of the recipient's URL, because replies may quote it. */
function withoutPath(detail: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || url.pathname === '/') return detail;
  const quoted = [text, `${url.pathname}${url.search}`, url.pathname];
  return quoted.reduce((rest, part) => rest.replaceAll(part, '/…'), detail);
}

function placeOf(recipient: string, kind: 'url' | 'name', mask: Mask): string {
  const url = URL.parse(recipient);
  if (url !== null && url.host !== '') return `at ${url.origin}`;
  return kind === 'name' ? `to ${mask.line(recipient)}` : 'at an unreadable address';
}

export interface LogExcerpts {
  /** Explains why there are no log lines or why some may be missing. */
  readonly note: string | null;
  /** Recognized lines that were not saved. */
  readonly dropped: number;
  readonly lines: readonly LogExcerpt[];
}

interface LogExcerpt {
  /** In ISO 8601 format in UTC. */
  readonly at: string;
  /** An appliance's configured name, `unnamed`, or the name that a firewall reports. */
  readonly from: string;
  readonly signature: string;
  /** Similar lines that arrived together. */
  readonly count: number;
  /** Control characters are replaced, and names and codes are masked. */
  readonly line: string;
}

type Kept = Omit<LogExcerpt, 'at'> & { readonly at: EpochMs };

const MAX_LINES = 500;

export function logExcerpts(
  memory: LogMemory,
  { mask, period }: { readonly mask: Mask; readonly period: Period },
): LogExcerpts {
  switch (memory.kind) {
    case 'none':
      return {
        note: 'There are no log lines, because no daemon with "logs" configured has used this store',
        dropped: 0,
        lines: [],
      };
    case 'unreadable':
      return { note: `The stored log lines cannot be read: ${memory.message}`, dropped: 0, lines: [] };
    case 'read':
      break;
  }
  const { appliances, firewall, unprovenFirewall, otherTraffic } = memory.state;
  const sightings = [...firewall, ...unprovenFirewall.sightings, ...otherTraffic];
  const kept = [
    ...Object.entries(appliances).flatMap(([name, log]) => ofAppliance(name, log)),
    ...sightings.map(ofFirewall),
  ];
  const latest = kept.toSorted((a, b) => a.at - b.at).slice(-MAX_LINES);
  const meant = latest.filter(({ at }) => isWithin(period, at));
  const heard =
    sum(Object.values(appliances).flatMap((log) => errorsOf(log).map(([, kept]) => heardOf(kept)))) +
    sum(sightings.map(({ count }) => count));
  return {
    note: meant.length === 0 ? 'No log lines about FortiToken Mobile errors were received' : null,
    dropped: Math.max(0, heard - sum(latest.map(({ count }) => count))),
    lines: meant.map((excerpt) => ({ ...excerpt, at: isoTime(excerpt.at), line: mask.line(excerpt.line) })),
  };
}

export function logExcerptsText({ note, dropped, lines }: LogExcerpts): string {
  return [
    '# Log lines about FortiToken Mobile: time of receipt (UTC), sender, recognized signature, number of similar lines',
    '# User names, email addresses, phone numbers and codes are masked. Other log lines are never stored.',
    ...(note === null ? [] : [`# ${note}`]),
    ...(dropped === 0
      ? []
      : [`# ${counted(dropped, 'more line')} matched, but only the latest lines of each kind are stored`]),
    ...lines.map(({ at, from, signature, count, line }) => `${at} ${from} ${signature} ×${String(count)}: ${line}`),
    '',
  ].join('\n');
}

function errorsOf({ signatures, unproven }: ApplianceLog): readonly (readonly [signature: string, SignatureLog])[] {
  return [...Object.entries(signatures), ...Object.entries(unproven)];
}

function ofAppliance(name: string, appliance: ApplianceLog): readonly Kept[] {
  return errorsOf(appliance).flatMap(([signature, log]) =>
    recentOf(log).map(({ at, count, line }) => ({ at, from: name, signature, count, line })),
  );
}

/** Older versions of the daemon saved only the last line. */
function recentOf({ recent, lastAt, sample }: SignatureLog): NonNullable<SignatureLog['recent']> {
  return recent ?? [{ at: lastAt, count: 1, line: sample }];
}

function heardOf({ heard, buckets }: SignatureLog): number {
  return heard ?? sum(buckets.map(({ count }) => count));
}

function ofFirewall({ signature, lastAt, evidence, sample }: FirewallSighting): Kept {
  return { at: lastAt, from: evidence.device ?? 'firewall', signature, count: 1, line: sample };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
