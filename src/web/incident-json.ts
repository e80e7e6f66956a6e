import * as z from 'zod';
import { isoTime, isoTimeOrNull, type Zone } from '../core/time-text.ts';
import {
  type Incident,
  firstOccurrence,
  type OutboxEntry,
  eventOf,
  incidentsOf,
  type Delivery,
} from '../engine/incident/incident.ts';
import { type CauseId, isCauseId } from '../checks/registry.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { showValue } from '../text/show.ts';
import { channelWords } from '../notify/channels/registry.ts';
import { withoutPath } from '../text/mask.ts';

/** One incident of `/api/v1/incidents`: names are part of the contract. Times are ISO 8601, UTC. */
export type IncidentJson = ReturnType<typeof incidentToJson>;

/** Open ones first, then the latest first. */
export function incidentsToJson(incidents: readonly Incident[]): readonly IncidentJson[] {
  return byUrgency(incidents).map(incidentToJson);
}

function incidentToJson(incident: Incident) {
  const { id, status, cause, formerCauses, merged, mergedInto, acknowledgement, thread } = incident;
  return {
    id,
    status,
    cause: cause.id,
    subject: cause.subject,
    severity: cause.severity,
    confidence: cause.confidence,
    summary: cause.summary,
    /** Steps, in order. */
    remedy: cause.remedy,
    remedySteps: cause.remedySteps,
    /** Of the incident; `causeSince` is of the cause as it is now. */
    since: isoTime(incident.since),
    causeSince: isoTime(incident.causeSince),
    openedAt: isoTime(incident.openedAt),
    closedAt: isoTimeOrNull(incident.closedAt),
    lastSeen: isoTime(incident.lastSeen),
    /** The same fault before, each time up to its all-clear. */
    earlier: incident.earlier.map(({ since, openedAt, closedAt, lastSeen }) => ({
      since: isoTime(since),
      openedAt: isoTime(openedAt),
      closedAt: isoTimeOrNull(closedAt),
      lastSeen: isoTime(lastSeen),
    })),
    flapping: incident.flapping,
    formerCauses: formerCauses.map((former) => ({
      cause: former.id,
      subject: former.subject,
      severity: former.severity,
      since: isoTime(former.since),
      until: isoTime(former.until),
    })),
    /** The incidents that came and went in turn with this one, and go on in it. */
    merged,
    mergedInto,
    /** Who has taken it on: reminders stop. */
    acknowledgement: acknowledgement === null ? null : { at: isoTime(acknowledgement.at), by: acknowledgement.by },
    notifications: thread.count,
  };
}

/** Open ones first, then the latest first. */
export function byUrgency(incidents: readonly Incident[]): readonly Incident[] {
  return incidents.toSorted(
    (a, b) => Number(b.status === 'open') - Number(a.status === 'open') || b.openedAt - a.openedAt,
  );
}

/** Names of `/api/v1/incidents`, in the order of the columns. */
const COLUMNS = [
  'id',
  'status',
  'cause',
  'subject',
  'severity',
  'confidence',
  'summary',
  'since',
  'openedAt',
  'closedAt',
  'lastSeen',
  'flapping',
  'notifications',
] as const;

/**
 * A table (RFC 4180), separated by commas, with a line of names. No cell has a semicolon, a tab or a line break: a
 * spreadsheet that separates by another character sees one column, and never a cell that a stranger has begun.
 */
export function incidentsToCsv(incidents: readonly Incident[]): string {
  const rows = incidentsToJson(incidents).map((incident) => COLUMNS.map((name) => cell(String(incident[name] ?? ''))));
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

/**
 * Subjects and summaries quote strangers, and spreadsheets run what begins like a formula: an apostrophe makes it a
 * text, also after a comma, where a careless reader may begin a cell
 * (https://owasp.org/www-community/attacks/CSV_Injection). Full-width signs count in some languages.
 */
function cell(text: string): string {
  const harmless = text
    .replaceAll(/[\t\r\n\v\f\u0085\u2028\u2029]+/gu, ' ')
    .replaceAll(';', ',')
    .replaceAll(/(^|,)(?=\s*[=+\-@＝＋－＠])/gu, "$1'");
  return /[",']/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Which incidents are asked for; what is null may be anything. */
export interface IncidentQuery {
  readonly cause: CauseId | null;
  readonly state: Incident['status'] | null;
  /** Those that lasted at some time from here on… */
  readonly from: EpochMs | null;
  /** …and before here. */
  readonly until: EpochMs | null;
}

export interface ReadIncidentQuery {
  readonly query: IncidentQuery;
  /** The parameters that are understood, as given: for a form, and for links to the same list. */
  readonly given: Readonly<Record<string, string>>;
  /** A sentence for each parameter that is unknown or cannot be understood, and was therefore ignored. */
  readonly problems: readonly string[];
}

const DAY: Millis = 86_400_000;
const KEYS = ['cause', 'state', 'from', 'until'] as const satisfies readonly (keyof IncidentQuery)[];
const MOST_NAMED = 10;

/**
 * Reads the parameters of `/incidents`: `cause`, `state`, `from` and `until`, days (`until` included) or times.
 * A form sends the fields that nobody has filled in as empty parameters.
 * @param parameters the values of each, in the order in which they were given
 * @param zone in which days begin; without it, in UTC
 */
export function readIncidentQuery(
  parameters: Readonly<Record<string, readonly string[]>>,
  zone?: Zone,
): ReadIncidentQuery {
  const problems = Object.keys(parameters)
    .filter((name) => KEYS.every((key) => key !== name))
    .slice(0, MOST_NAMED)
    .map((name) => `${showValue(name)}: unknown parameter, expected one of ${KEYS.join(', ')}`);
  const given: Record<string, string> = {};
  const take = <T>(key: keyof IncidentQuery, expected: string, parse: (text: string) => T | null): T | null => {
    const [text = '', ...more] = parameters[key] ?? [];
    if (more.length > 0) {
      problems.push(`"${key}": expected one value, got ${String(more.length + 1)}`);
      return null;
    }
    if (text === '') return null;
    const value = parse(text);
    if (value === null) problems.push(`"${key}": expected ${expected}, got ${showValue(text)}`);
    else given[key] = text;
    return value;
  };
  const query: IncidentQuery = {
    cause: take('cause', 'a cause such as "tls-intercepted"', (text) => (isCauseId(text) ? text : null)),
    state: take('state', '"open" or "closed"', (text) => (text === 'open' || text === 'closed' ? text : null)),
    from: take('from', A_TIME, (text) => instantOf(text, 0, zone)),
    until: take('until', A_TIME, (text) => instantOf(text, DAY, zone)),
  };
  return { query, given, problems };
}

const A_TIME = 'a day or a time such as "2026-11-24" or "2026-11-24T18:00:00Z"';

/** @param dayLasts what a day stands for is so long after its midnight */
function instantOf(text: string, dayLasts: Millis, zone?: Zone): EpochMs | null {
  const [, day = '', time] = /^(.{10})(T[\d:.]{5,12}Z)?$/u.exec(text) ?? [];
  // Date.parse takes 31 February for 3 March.
  if (!z.iso.date().safeParse(day).success) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  if (time !== undefined) return at;
  return zone === undefined ? at + dayLasts : zone.startOfDay(at + dayLasts);
}

/** Whether one is asked for. */
export function isAskedFor(incident: Incident, query: IncidentQuery): boolean {
  const { cause, status, closedAt } = incident;
  return (
    (query.cause === null || query.cause === cause.id) &&
    (query.state === null || query.state === status) &&
    (query.from === null || closedAt === null || closedAt >= query.from) &&
    (query.until === null || firstOccurrence(incident).since < query.until)
  );
}

/**
 * Each notification to one recipient, as in `/api/v1/notifications`: names are part of the contract. Times are ISO
 * 8601, UTC.
 */
export function notificationsToJson(entries: readonly OutboxEntry[]): readonly object[] {
  return entries.map(({ notification, delivery }) => ({
    /** The same for every recipient. */
    id: notification.id,
    event: eventOf(notification),
    /** What it tells of: one, several for a digest, none for a test. */
    incidents: incidentsOf(notification).map(({ id, cause }) => ({ id, cause: cause.id, subject: cause.subject })),
    channel: delivery.channel,
    recipient: maskedRecipient(delivery),
    status: delivery.status,
    createdAt: isoTime(delivery.createdAt),
    attempts: delivery.attempts,
    firstFailedAt: isoTimeOrNull(delivery.firstFailedAt),
    /** null: it is not tried again. */
    nextAttemptAt: delivery.status === 'pending' ? isoTime(delivery.nextAttemptAt) : null,
    finishedAt: isoTimeOrNull(delivery.finishedAt),
    /** What the peer said last. */
    detail: maskedDetail(delivery),
  }));
}

/** The part before the `@`, except for its first letter. */
const MAIL_USER = /([\w!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{0,63}@(?=[a-z\d[])/giu;
const PLACE = /^(?:file|environment variable) "/u;
const WEB_ADDRESS = /\bhttps?:\/\/[^\s"'<>]+/giu;

/**
 * A person by the first letter and the domain of the mail address, a web hook by its host: its path may be a secret.
 */
export function maskedRecipient({ channel, recipient }: Pick<Delivery, 'channel' | 'recipient'>): string {
  switch (channelWords(channel).recipients) {
    case 'mail-address':
      return withoutUsers(recipient);
    case 'url':
      // One that is read from elsewhere is called by its place.
      return PLACE.test(recipient) ? recipient : withoutPath(recipient);
    case 'name':
      return recipient.includes('://') && !PLACE.test(recipient) ? withoutPath(recipient) : recipient;
  }
}

/** What the peer said last, without the people and paths that it may name. */
export function maskedDetail({ detail }: Pick<Delivery, 'detail'>): string {
  return withoutUsers(detail.replaceAll(WEB_ADDRESS, withoutPath));
}

function withoutUsers(text: string): string {
  return text.replaceAll(MAIL_USER, '$1…@');
}
