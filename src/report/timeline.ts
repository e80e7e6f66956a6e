import type { EpochMs } from '../core/clock.ts';
import { plainText, type TimeStyle } from '../document/document.ts';
import { faultEvents, type TimelineEvent } from '../document/incident-story.ts';
import type { Delivery, Incident, OutboxEntry } from '../engine/incident/incident.ts';
import { type IncidentJson, incidentToJson } from '../document/incident-json.ts';
import { maskedRecipient, notificationEvents } from '../notify/channels/deliveries.ts';
import { channelWords } from '../config/schema/channels.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import { isoTime, isWithin, type Period } from '../core/time-text.ts';
import { counted } from '../core/visible-text.ts';
import type { Mask } from '../text/mask.ts';
import { maskedCause, type LogMemory } from './report-contents.ts';
import type { ApplianceLog, FirewallSighting, SignatureLog } from '../core/polling/state.ts';

/** What a daemon has saved, without secrets and names. */
export interface MaskedHistory {
  /** Explains why the history is missing or incomplete. */
  readonly note: string | null;
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/** Evidence is masked like log lines, because it may quote them. */
export function maskedHistory(history: StoredHistory, mask: Mask): MaskedHistory {
  switch (history.kind) {
    case 'none':
      return { note: 'There is no history, because no daemon has used this store', incidents: [], outboxEntries: [] };
    case 'unreadable':
      return { note: `The history cannot be read: ${mask.line(history.message)}`, incidents: [], outboxEntries: [] };
    case 'read':
      return {
        note: omission(history.olderIncidents, history.olderEntries),
        incidents: history.incidents.map((incident) => maskedIncident(incident, mask)),
        outboxEntries: history.outboxEntries.map(({ delivery, notification }) => ({
          notification,
          delivery: maskedDelivery(delivery, mask),
        })),
      };
  }
}

function omission(incidents: number, outboxEntries: number): string | null {
  if (incidents === 0 && outboxEntries === 0) return null;
  return `Older entries are left out: ${counted(incidents, 'incident')}, ${counted(outboxEntries, 'notification')}`;
}

function maskedIncident(incident: Incident, mask: Mask): Incident {
  const { acknowledgement } = incident;
  return {
    ...incident,
    acknowledgement: acknowledgement === null ? null : { ...acknowledgement, by: '<user>' },
    cause: maskedCause(incident.cause, mask),
    formerCauses: incident.formerCauses.map((former) => ({ ...former, subject: mask.line(former.subject) })),
    openingEvidence: incident.openingEvidence.map((line) => mask.line(line)),
  };
}

function maskedDelivery(delivery: Delivery, mask: Mask): Delivery {
  const { channel, recipient, detail } = delivery;
  if (channelWords(channel).recipients === 'mail-address')
    return { ...delivery, recipient: mask.mailAddresses(recipient), detail: mask.line(detail) };
  return {
    ...delivery,
    recipient: maskedRecipient({ channel, recipient: mask.line(recipient) }),
    detail: mask.line(withoutQuotedPath(detail, recipient)),
  };
}

/** Removes the secret path of the recipient's URL, because replies may quote it. */
function withoutQuotedPath(detail: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || url.pathname === '/') return detail;
  const quoted = [text, `${url.pathname}${url.search}`, url.pathname];
  return quoted.reduce((rest, part) => rest.replaceAll(part, '/…'), detail);
}

/** Notifications follow other events with the same time, because those trigger them. */
export function historyEvents(history: MaskedHistory, times: TimeStyle): readonly TimelineEvent[] {
  const { incidents, outboxEntries } = history;
  return [...incidents.flatMap(faultEvents), ...notificationEvents(outboxEntries, times)];
}

export interface Timeline {
  readonly note: string | null;
  readonly incidents: readonly IncidentJson[];
  /** Oldest first. Times are in ISO 8601 format in UTC. */
  readonly events: readonly (Pick<TimelineEvent, 'kind' | 'incident'> & {
    readonly at: string;
    readonly text: string;
  })[];
}

export function timelineToJson(history: MaskedHistory): Timeline {
  return {
    note: history.note,
    incidents: history.incidents.map(incidentToJson),
    events: historyEvents(history, isoTime)
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, kind, incident, words }) => ({ at: isoTime(at), kind, incident, text: plainText(words) })),
  };
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
