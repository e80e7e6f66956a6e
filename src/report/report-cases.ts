import { compareSeverity } from '../core/severity.ts';
import type { Cause } from '../engine/model.ts';
import type { ReportData } from './report-data.ts';
import type { SeenIssuer } from './seen.ts';
import type { TimelineIncident } from './timeline.ts';

/** A fault in the period of the report with all its occurrences. */
export interface ReportCase {
  /** The latest cause of the fault. */
  readonly cause: Cause;
  /** All occurrences of the fault, latest first. */
  readonly spans: readonly CaseSpan[];
  /**
   * The issuers of the certificates that the target presented during the fault. Issuers of certificates that are
   * currently considered genuine are left out.
   */
  readonly issuers: readonly SeenIssuer[];
}

export interface CaseSpan {
  /** The start time. All times are in ISO 8601 format, in UTC. */
  readonly since: string;
  /** The time at which the fault was resolved. Null if the fault continues or is `gone`. */
  readonly until: string | null;
  readonly lastSeen: string;
  /** The duration in words, such as `about 51 s`. Null if the fault has not ended. */
  readonly lasted: string | null;
  /** Set if the incident is open but the report's round did not find the fault. */
  readonly gone: boolean;
  /** The id of the incident. Null if only the report's round has found the fault. */
  readonly incident: string | null;
}

type Known = Pick<ReportData, 'check' | 'timeline' | 'issuers' | 'period'>;

/** Compares faults. Ongoing faults come first, then the most severe, then the latest. */
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

/** Returns whether the fault is present now. */
export function lasts({ spans }: ReportCase): boolean {
  return spans.some(({ until, gone }) => until === null && !gone);
}

/** Returns whether the report's round checked the precondition and did not find the fault. */
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

/** The result of the report's round for a fault. */
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

/** Returns the issuers for a fault, which are empty if certificates are irrelevant to the fault. */
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
