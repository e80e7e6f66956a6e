import { compareSeverity } from '../core/severity.ts';
import type { Cause } from '../engine/model.ts';
import type { ReportData } from './report-data.ts';
import type { SeenIssuer } from './seen.ts';
import type { TimelineIncident } from './timeline.ts';

/** One fault of the period, however often it came: what the report is about. */
export interface ReportCase {
  /** As it was understood last. */
  readonly cause: Cause;
  /** When it was there, latest first. */
  readonly spans: readonly CaseSpan[];
  /** Who issued certificates that its target showed meanwhile, other than those that are genuine now. */
  readonly issuers: readonly SeenIssuer[];
}

export interface CaseSpan {
  /** ISO 8601, UTC, as all times here. */
  readonly since: string;
  /** When it was said to be over; null: it lasts, or is `gone`. */
  readonly until: string | null;
  /** When it was seen last. */
  readonly lastSeen: string;
  /** How long it was there, in words: `about 51 s`; null: it is not over. */
  readonly lasted: string | null;
  /** Its incident is open, but the round of the report judged it and did not see it. */
  readonly gone: boolean;
  /** Null: seen by the round of the report alone. */
  readonly incident: string | null;
}

type Known = Pick<ReportData, 'check' | 'timeline' | 'issuers' | 'period'>;

/** Those that last first, then the gravest, then the latest. */
export function reportCases(data: Known): readonly ReportCase[] {
  const { check, timeline, period } = data;
  const known = Map.groupBy(timeline.incidents, ({ cause }) => keyOf(cause));
  const isPast = period.until < check.at;
  const current = isPast ? [] : check.causes;
  const shown = new Map(current.map((cause) => [keyOf(cause), cause]));
  for (const [key, [latest]] of known) if (!shown.has(key) && latest !== undefined) shown.set(key, latest.cause);
  return [...shown]
    .map(([key, cause]): ReportCase => {
      const seen = { at: check.at, isSeen: current.includes(cause), isGone: !isPast && isGone(cause, check) };
      const spans = spansOf(known.get(key) ?? [], seen).filter((span) => isWithin(span, period));
      return { cause, spans, issuers: issuersOf(cause, spans, data.issuers) };
    })
    .filter(({ spans }) => spans.length > 0)
    .toSorted(
      (a, b) =>
        Number(lasts(b)) - Number(lasts(a)) ||
        compareSeverity(a.cause.severity, b.cause.severity) ||
        beginOf(b).localeCompare(beginOf(a), 'en'),
    );
}

/** Whether it is there now. */
export function lasts({ spans }: ReportCase): boolean {
  return spans.some(({ until, gone }) => until === null && !gone);
}

/** The round of the report has judged its precondition, and found nothing of the kind. */
function isGone(cause: Cause, { preconditions, causes }: ReportData['check']): boolean {
  const state = preconditions.find(({ id }) => id === cause.precondition)?.state;
  return !causes.some((one) => keyOf(one) === keyOf(cause)) && (state === 'ok' || state === 'warning');
}

function isWithin({ since, until }: CaseSpan, period: ReportData['period']): boolean {
  return since <= period.until && (until === null || period.since === null || until >= period.since);
}

function beginOf({ spans }: ReportCase): string {
  return spans[0]?.since ?? '';
}

function keyOf({ id, subject }: Cause): string {
  return `${id} ${subject}`;
}

/** What the round of the report says of a fault. */
interface Seen {
  readonly at: string;
  readonly isSeen: boolean;
  readonly isGone: boolean;
}

function spansOf(incidents: readonly TimelineIncident[], { at, isSeen, isGone }: Seen): readonly CaseSpan[] {
  const spans = incidents
    .flatMap((incident) =>
      [...incident.earlier, incident].map(({ since, closedAt: until, lastSeen, lasted }): CaseSpan => {
        return { since, until, lastSeen, lasted, gone: until === null && isGone, incident: incident.id };
      }),
    )
    .toSorted((a, b) => b.since.localeCompare(a.since, 'en'));
  if (!isSeen || spans.some(({ until }) => until === null)) return spans;
  return [{ since: at, until: null, lastSeen: at, lasted: null, gone: false, incident: null }, ...spans];
}

/** Of a fault of another kind, certificates are no evidence. */
function issuersOf(
  { precondition, subject }: Cause,
  spans: readonly CaseSpan[],
  issuers: readonly SeenIssuer[],
): readonly SeenIssuer[] {
  if (precondition !== 'tls-genuine') return [];
  return issuers.filter(
    ({ target, verdict, firstSeen, lastSeen }) =>
      target === subject &&
      verdict !== 'genuine' &&
      spans.some(({ since, until }) => lastSeen >= since && (until === null || firstSeen <= until)),
  );
}
