import * as z from 'zod';

import { type CauseId, isCauseId } from '../checks/registry.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Zone } from '../core/zoned-text.ts';
import { firstOccurrence, type Incident } from '../engine/incident/incident.ts';
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
