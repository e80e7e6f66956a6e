import { type CauseId, isCauseId } from '../checks/registry.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { showValue } from '../text/show.ts';

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
  /** A sentence for each parameter that was left out because nobody can tell what it means. */
  readonly problems: readonly string[];
}

const DAY: Millis = 86_400_000;

/**
 * Reads the parameters of `/incidents`: `cause`, `state`, `from` and `until`, days (UTC, `until` included) or times.
 * Fields of a form that nobody has filled in come as empty ones.
 */
export function readIncidentQuery(parameters: Readonly<Record<string, string>>): ReadIncidentQuery {
  const problems: string[] = [];
  const given: Record<string, string> = {};
  const take = <T>(key: keyof IncidentQuery, expected: string, parse: (text: string) => T | null): T | null => {
    const text = parameters[key] ?? '';
    if (text === '') return null;
    const value = parse(text);
    if (value === null) problems.push(`"${key}": expected ${expected}, got ${showValue(text)}`);
    else given[key] = text;
    return value;
  };
  const query: IncidentQuery = {
    cause: take('cause', 'a cause such as "tls-intercepted"', (text) => (isCauseId(text) ? text : null)),
    state: take('state', '"open" or "closed"', (text) => (text === 'open' || text === 'closed' ? text : null)),
    from: take('from', A_TIME, (text) => instantOf(text, 0)),
    until: take('until', A_TIME, (text) => instantOf(text, DAY)),
  };
  return { query, given, problems };
}

const A_TIME = 'a day or a time such as "2026-11-24" or "2026-11-24T18:00:00Z"';

/** @param dayLasts what a day stands for is so long after its midnight */
function instantOf(text: string, dayLasts: Millis): EpochMs | null {
  const isDay = /^\d{4}-\d\d-\d\d$/u.test(text);
  if (!isDay && !/^\d{4}-\d\d-\d\dT[\d:.]{5,12}Z$/u.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : isDay ? at + dayLasts : at;
}

/** Whether one is asked for. */
export function isAskedFor({ cause, status, since, closedAt }: Incident, query: IncidentQuery): boolean {
  return (
    (query.cause === null || query.cause === cause.id) &&
    (query.state === null || query.state === status) &&
    (query.from === null || closedAt === null || closedAt >= query.from) &&
    (query.until === null || since < query.until)
  );
}
