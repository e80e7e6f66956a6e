import * as z from 'zod';
import { isoTime, isoTimeOrNull, type Zone } from '../core/time-text.ts';
import { type Incident, firstOccurrence, type OutboxEntry, eventOf, incidentsOf } from '../engine/incident/incident.ts';
import { type AvailabilityPeriod, availabilityShare } from '../engine/availability.ts';
import { type CauseId, isCauseId } from '../checks/registry.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { nextTurn } from '../system/clock.ts';
import { showValue } from '../text/show.ts';
import { maskedDetail, maskedRecipient } from '../notify/channels/deliveries.ts';
import { type IncidentJson, incidentToJson } from '../document/incident-json.ts';

export function incidentsToJson(incidents: readonly Incident[]): readonly IncidentJson[] {
  return byUrgency(incidents).map(incidentToJson);
}

export function byUrgency(incidents: readonly Incident[]): readonly Incident[] {
  return incidents.toSorted(
    (a, b) => Number(b.status === 'open') - Number(a.status === 'open') || b.openedAt - a.openedAt,
  );
}

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
 * A comma-separated table (RFC 4180). Cells contain no semicolons, tabs or line breaks. Spreadsheets that expect a
 * different separator therefore show a single column, and untrusted text cannot start a new cell.
 */
export function incidentsToCsv(incidents: readonly Incident[]): Promise<string> {
  return inParts(incidents, (part) => csvRows(COLUMNS, incidentsToJson(part)), csvHeader(COLUMNS));
}

/** The text of the JSON object with the incidents and the other fields. */
export async function incidentsToJsonText(incidents: readonly Incident[], fields: object): Promise<string> {
  const list = await inParts(incidents, (part) =>
    incidentsToJson(part)
      .map((one) => `${JSON.stringify(one)},`)
      .join(''),
  );
  return `{"incidents":[${list.slice(0, -1)}],${JSON.stringify(fields).slice(1)}`;
}

const FORMATTED_AT_ONCE = 50;

/** Takes a turn of the event loop for each part, so that long lists do not block it. */
async function inParts(
  incidents: readonly Incident[],
  format: (part: readonly Incident[]) => string,
  header = '',
): Promise<string> {
  let text = header;
  for (let from = 0; from < incidents.length; from += FORMATTED_AT_ONCE) {
    text += format(incidents.slice(from, from + FORMATTED_AT_ONCE));
    await nextTurn();
  }
  return text;
}

function csvHeader(columns: readonly string[]): string {
  return `${columns.join(',')}\r\n`;
}

function csvRows<Name extends string>(
  columns: readonly Name[],
  rows: readonly Readonly<Record<Name, unknown>>[],
): string {
  return rows.map((row) => `${columns.map((name) => cell(String(row[name] ?? ''))).join(',')}\r\n`).join('');
}

const PERIOD_COLUMNS = [
  'period',
  'from',
  'until',
  'availabilityPercent',
  'readySeconds',
  'notReadySeconds',
  'unknownSeconds',
  'partial',
] as const;

/** The percentage refers to the time during which the state is known. */
export function availabilityToCsv(periods: readonly AvailabilityPeriod[]): string {
  const rows = periods.map((period) => {
    const { name, from, until, ready, notReady, unknown, partial } = period;
    const share = availabilityShare(period);
    return {
      period: name,
      from: isoTime(from),
      until: isoTime(until),
      // The percentage is rounded down, so that it is 100 only if there was no outage.
      availabilityPercent: share === null ? null : Math.floor(share * 1e6) / 1e4,
      readySeconds: ready / 1_000,
      notReadySeconds: notReady / 1_000,
      unknownSeconds: unknown / 1_000,
      partial,
    };
  });
  return csvHeader(PERIOD_COLUMNS) + csvRows(PERIOD_COLUMNS, rows);
}

/**
 * Spreadsheets execute text that looks like a formula (https://owasp.org/www-community/attacks/CSV_Injection). A
 * leading apostrophe prevents this. An apostrophe is also inserted after each comma, because a faulty parser could
 * start a new cell there. In some languages, spreadsheets also accept a full-width character at the start of a formula.
 */
function cell(text: string): string {
  const harmless = text
    .replaceAll(/[\t\r\n\v\f\u0085\u2028\u2029]+/gu, ' ')
    .replaceAll(';', ',')
    .replaceAll(/(^|,)(?=\s*[=+\-@＝＋－＠])/gu, "$1'");
  return /[",']/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export interface IncidentQuery {
  readonly cause: CauseId | null;
  readonly state: Incident['status'] | null;
  /** Still open at this time or later. */
  readonly from: EpochMs | null;
  /** Began before this time. */
  readonly until: EpochMs | null;
}

export interface ReadIncidentQuery {
  readonly query: IncidentQuery;
  /** The recognized parameters as given, for the form and for links to the same list. */
  readonly given: Readonly<Record<string, string>>;
  /** One sentence for each unknown or invalid parameter. */
  readonly problems: readonly string[];
}

const DAY: Millis = 86_400_000;
const KEYS = ['cause', 'state', 'from', 'until'] as const satisfies readonly (keyof IncidentQuery)[];
const MOST_NAMED = 10;

/**
 * Parses the URL parameters of `/incidents`. `from` and `until` can be times or days, and the day in `until` is
 * included. Empty parameters are ignored, because forms send a parameter for every empty field.
 * @param zone the time zone in which days begin; UTC if omitted
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

/** @param dayLasts the time to add to the start of the day if the text is a day without a time */
function instantOf(text: string, dayLasts: Millis, zone?: Zone): EpochMs | null {
  const [, day = '', time] = /^(.{10})(T[\d:.]{5,12}Z)?$/u.exec(text) ?? [];
  // Date.parse accepts invalid dates and interprets 31 February as 3 March.
  if (!z.iso.date().safeParse(day).success) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  if (time !== undefined) return at;
  return zone === undefined ? at + dayLasts : zone.startOfDay(at + dayLasts);
}

export function isAskedFor(incident: Incident, query: IncidentQuery): boolean {
  const { cause, status, closedAt } = incident;
  return (
    (query.cause === null || query.cause === cause.id) &&
    (query.state === null || query.state === status) &&
    (query.from === null || closedAt === null || closedAt >= query.from) &&
    (query.until === null || firstOccurrence(incident).since < query.until)
  );
}

/** One object per notification and recipient. The field names are part of the API. */
export function notificationsToJson(entries: readonly OutboxEntry[]): readonly object[] {
  return entries.map(({ notification, delivery }) => ({
    id: notification.id,
    event: eventOf(notification),
    incidents: incidentsOf(notification).map(({ id, cause }) => ({ id, cause: cause.id, subject: cause.subject })),
    channel: delivery.channel,
    recipient: maskedRecipient(delivery),
    status: delivery.status,
    createdAt: isoTime(delivery.createdAt),
    attempts: delivery.attempts,
    firstFailedAt: isoTimeOrNull(delivery.firstFailedAt),
    /** Null if no further attempt is planned. */
    nextAttemptAt: delivery.status === 'pending' ? isoTime(delivery.nextAttemptAt) : null,
    finishedAt: isoTimeOrNull(delivery.finishedAt),
    detail: maskedDetail(delivery),
  }));
}
