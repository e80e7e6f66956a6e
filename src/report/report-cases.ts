import { compareSeverity } from '../core/severity.ts';
import type { Cause } from '../engine/cause.ts';
import type { ReportData } from './report-data.ts';
import type { SeenIssuer } from './seen-issuers.ts';
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
  /** ISO 8601, UTC. */
  readonly since: string;
  /** Null: it lasts. */
  readonly until: string | null;
  /** Null: seen by the round of the report alone. */
  readonly incident: string | null;
}

type Known = Pick<ReportData, 'check' | 'timeline' | 'issuers' | 'period'>;

/** Those that last first, then the gravest, then the latest. */
export function reportCases(data: Known): readonly ReportCase[] {
  const { check, timeline, period } = data;
  const known = Map.groupBy(timeline.incidents, ({ cause }) => keyOf(cause));
  const current = period.until < check.at ? [] : check.causes;
  const shown = new Map(current.map((cause) => [keyOf(cause), cause]));
  for (const [key, [latest]] of known) if (!shown.has(key) && latest !== undefined) shown.set(key, latest.cause);
  return [...shown]
    .map(([key, cause]): ReportCase => {
      const spans = spansOf(known.get(key) ?? [], current.includes(cause) ? check.at : null);
      return { cause, spans, issuers: issuersOf(cause, spans, data.issuers) };
    })
    .toSorted(
      (a, b) =>
        Number(lasts(b)) - Number(lasts(a)) ||
        compareSeverity(a.cause.severity, b.cause.severity) ||
        beginOf(b).localeCompare(beginOf(a), 'en'),
    );
}

/** Whether it is there now. */
export function lasts({ spans }: ReportCase): boolean {
  return spans.some(({ until }) => until === null);
}

function beginOf({ spans }: ReportCase): string {
  return spans[0]?.since ?? '';
}

function keyOf({ id, subject }: Cause): string {
  return `${id} ${subject}`;
}

/** @param seenAt when the round of the report saw it; null: it did not */
function spansOf(incidents: readonly TimelineIncident[], seenAt: string | null): readonly CaseSpan[] {
  const spans = incidents
    .map(({ id, since, closedAt }): CaseSpan => ({ since, until: closedAt, incident: id }))
    .toSorted((a, b) => b.since.localeCompare(a.since, 'en'));
  const isOpen = spans.some(({ until }) => until === null);
  return seenAt === null || isOpen ? spans : [{ since: seenAt, until: null, incident: null }, ...spans];
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
