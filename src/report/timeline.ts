import type { EpochMs } from '../core/clock.ts';
import { type Incident, type Occurrence, type OutboxEntry, lastedText, eventOf } from '../engine/incident/incident.ts';
import { channelWords } from '../notify/channels/registry.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import { isoTime, isoTimeOrNull, isWithin, type Period } from '../core/time-text.ts';
import { counted } from '../core/phrases.ts';
import type { Mask } from '../text/mask.ts';
import { maskedCause, type LogMemory } from './report-contents.ts';
import type { ApplianceLog, FirewallSighting, SignatureLog } from '../core/polling/state.ts';

/** Earlier events, as stored by the daemon. */
export interface Timeline {
  /** Why nothing is known or what is left out; null if this is all that is stored. */
  readonly note: string | null;
  /** Latest first. */
  readonly incidents: readonly TimelineIncident[];
  /** Oldest first. */
  readonly events: readonly TimelineEvent[];
}

export type TimelineIncident = ReturnType<typeof incidentOf>;

interface TimelineEvent {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly kind: 'seen' | 'opened' | 'understood-anew' | 'returned' | 'closed' | 'notification';
  /** null for a notification about several incidents, or a test. */
  readonly incident: string | null;
  readonly text: string;
}

type Event = Omit<TimelineEvent, 'at'> & { readonly at: EpochMs };

/**
 * Returns incidents with their transitions and notifications. Evidence is masked like log lines, because it may quote
 * them.
 */
export function timelineOf(history: StoredHistory, mask: Mask): Timeline {
  switch (history.kind) {
    case 'none':
      return { note: 'No history was kept: no daemon has run with this store', incidents: [], events: [] };
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
  return `Older ones are left out: ${counted(incidents, 'incident')}, ${counted(outboxEntries, 'notification')}`;
}

function incidentOf(incident: Incident) {
  const { id, status, earlier, cause, thread } = incident;
  return {
    id,
    status,
    ...occurrenceOf(incident),
    /** Earlier occurrences of the same fault, each until its all-clear; oldest first. */
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
    /** Duration in words, such as `about 51 s`; null if it is open. */
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
      { at: openedAt, kind: 'opened', incident: id, text: 'Confirmed: the incident is open' },
      ...(closedAt === null ? [] : [{ at: closedAt, kind: 'closed', incident: id, text: 'Over' } as const]),
    ]),
    ...formerCauses.map((former, index): Event => {
      const next = formerCauses[index + 1] ?? cause;
      const text = `Understood as ${next.id} (${next.subject}), no longer as ${former.id} (${former.subject})`;
      return { at: former.until, kind: 'understood-anew', incident: id, text };
    }),
    ...returns
      .filter((at) => occurrences.every(({ since }) => since !== at))
      .map((at): Event => ({ at, kind: 'returned', incident: id, text: 'It came back' })),
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

/** Removes the URL and its path from a reply that may quote them, because the path is secret. */
function withoutPath(detail: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || url.pathname === '/') return detail;
  const quoted = [text, `${url.pathname}${url.search}`, url.pathname];
  return quoted.reduce((rest, part) => rest.replaceAll(part, '/…'), detail);
}

function placeOf(recipient: string, kind: 'url' | 'name', mask: Mask): string {
  const url = URL.parse(recipient);
  if (url !== null && url.host !== '') return `at ${url.origin}`;
  return kind === 'name' ? `to ${mask.line(recipient)}` : 'at an address that cannot be read';
}

/** Log lines about FortiToken Mobile, without personal data. */
export interface LogExcerpts {
  /** Why there are none, or that some may be missing; null if there is no problem. */
  readonly note: string | null;
  /** Number of lines that were recognised but not stored. */
  readonly dropped: number;
  /** Oldest first. */
  readonly lines: readonly LogExcerpt[];
}

interface LogExcerpt {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Configured name of the appliance, `unnamed`, or the name that the firewall reports. */
  readonly from: string;
  readonly signature: string;
  /** Number of similar lines received together. */
  readonly count: number;
  /** The line with control characters replaced and names and codes masked. */
  readonly line: string;
}

type Kept = Omit<LogExcerpt, 'at' | 'line'> & { readonly at: EpochMs; readonly line: string };

const MAX_LINES = 500;

/** Returns the lines of the period. */
export function logExcerpts(
  memory: LogMemory,
  { mask, period }: { readonly mask: Mask; readonly period: Period },
): LogExcerpts {
  switch (memory.kind) {
    case 'none':
      return { note: 'No log line was kept: no daemon with "logs" has run with this store', dropped: 0, lines: [] };
    case 'unreadable':
      return { note: `The log lines that were kept cannot be read: ${memory.message}`, dropped: 0, lines: [] };
    case 'read':
      break;
  }
  const { appliances, firewall } = memory.state;
  const kept = [
    ...Object.entries(appliances).flatMap(([name, log]) => ofAppliance(name, log)),
    ...firewall.map(ofFirewall),
  ];
  const latest = kept.toSorted((a, b) => a.at - b.at).slice(-MAX_LINES);
  const meant = latest.filter(({ at }) => isWithin(period, at));
  const heard =
    sum(Object.values(appliances).flatMap((log) => Object.values(log.signatures).map(heardOf))) +
    sum(firewall.map(({ count }) => count));
  return {
    note: meant.length === 0 ? 'No line of FortiToken Mobile trouble was heard' : null,
    dropped: Math.max(0, heard - sum(latest.map(({ count }) => count))),
    lines: meant.map((excerpt) => ({ ...excerpt, at: isoTime(excerpt.at), line: mask.line(excerpt.line) })),
  };
}

/** Returns the excerpts as a text file. Ends with a line break. */
export function logExcerptsText({ note, dropped, lines }: LogExcerpts): string {
  return [
    '# Log lines that say something of FortiToken Mobile: when they were heard (UTC), from whom, what they were ' +
      'recognised as, how many',
    '# came together. Names of users, mail addresses, phone numbers and codes are masked; other lines of the log ' +
      'are never kept.',
    ...(note === null ? [] : [`# ${note}`]),
    ...(dropped === 0 ? [] : [`# ${String(dropped)} more were recognised, but only the latest of each kind are kept`]),
    ...lines.map(({ at, from, signature, count, line }) => `${at} ${from} ${signature} ×${String(count)}: ${line}`),
    '',
  ].join('\n');
}

function ofAppliance(name: string, { signatures }: ApplianceLog): readonly Kept[] {
  return Object.entries(signatures).flatMap(([signature, log]) =>
    recentOf(log).map(({ at, count, line }) => ({ at, from: name, signature, count, line })),
  );
}

/** Returns the recent lines. Older versions stored only the last line. */
function recentOf({ recent, lastAt, sample }: SignatureLog): NonNullable<SignatureLog['recent']> {
  return recent ?? [{ at: lastAt, count: 1, line: sample }];
}

function heardOf({ heard, buckets }: SignatureLog): number {
  return heard ?? sum(buckets.map(({ count }) => count));
}

/** Returns the last stored line of each kind from firewalls. */
function ofFirewall({ signature, lastAt, evidence, sample }: FirewallSighting): Kept {
  return { at: lastAt, from: evidence.device ?? 'firewall', signature, count: 1, line: sample };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
