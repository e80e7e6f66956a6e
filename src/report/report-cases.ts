import { compareSeverity } from '../core/severity.ts';
import type { Cause } from '../engine/model.ts';
import type { ReportData } from './report-data.ts';
import type { SeenIssuer } from './seen.ts';
import type { MaskedHistory } from './timeline.ts';
import { isoTime, isoTimeOrNull } from '../core/time-text.ts';
import { type Incident, lastedText } from '../engine/incident/incident.ts';

export interface ReportCase {
  readonly cause: Cause;
  readonly spans: readonly CaseSpan[];
  /**
   * Issuers of the certificates that the target presented during the fault, except those that are now considered
   * genuine.
   */
  readonly issuers: readonly SeenIssuer[];
}

export interface CaseSpan {
  /** All times in this object are in ISO 8601 format in UTC. */
  readonly since: string;
  /** Null if the fault has not ended, or if `gone` is true. */
  readonly until: string | null;
  readonly lastSeen: string;
  /** In words, such as `about 51 s`. Null if the fault has not ended. */
  readonly lasted: string | null;
  /** The incident is still open although the report's own round did not find the fault. */
  readonly gone: boolean;
  /** Null if only the report's own round found the fault. */
  readonly incident: string | null;
}

type Known = Pick<ReportData, 'check' | 'issuers' | 'period'> & Pick<MaskedHistory, 'incidents'>;

/** Ongoing faults come first, followed by the most severe and the most recent faults. */
export function reportCases(data: Known): readonly ReportCase[] {
  const { check, incidents, period } = data;
  const known = Map.groupBy(incidents, ({ cause }) => keyOf(cause));
  const isPast = period.until < check.at;
  const current: readonly Cause[] = isPast ? [] : check.causes;
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

export function lasts({ spans }: ReportCase): boolean {
  return spans.some(({ until, gone }) => until === null && !gone);
}

/** Returns whether the report's round checked the precondition without finding the fault. */
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

interface CauseInRound {
  readonly at: string;
  readonly isSeen: boolean;
  readonly isGone: boolean;
}

function spansOf(incidents: readonly Incident[], { at, isSeen, isGone }: CauseInRound): readonly CaseSpan[] {
  const spans = incidents
    .flatMap((incident) =>
      [...incident.earlier, incident].map((occurrence): CaseSpan => {
        const { since, closedAt, lastSeen } = occurrence;
        return {
          since: isoTime(since),
          until: isoTimeOrNull(closedAt),
          lastSeen: isoTime(lastSeen),
          lasted: closedAt === null ? null : lastedText(occurrence),
          gone: closedAt === null && isGone,
          incident: incident.id,
        };
      }),
    )
    .toSorted((a, b) => b.since.localeCompare(a.since, 'en'));
  if (!isSeen || spans.some(({ until }) => until === null)) return spans;
  return [{ since: at, until: null, lastSeen: at, lasted: null, gone: false, incident: null }, ...spans];
}

/** Empty if the fault is unrelated to certificates. */
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
