import { compareSeverity, type Severity } from '../core/severity.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { OTHER_SUBJECT } from './configured-subjects.ts';

/** The labels of one series of `ftm_incident_open`. */
export interface OpenIncident {
  readonly cause: string;
  readonly severity: Severity;
  readonly subject: string;
}

/** What is told of an incident. */
export type TellableIncident = Pick<Incident, 'status' | 'cause' | 'openedAt'>;

const MOST = 50;

/**
 * The open incidents, gravest first and at most 50. A subject that is not among `named` is `other`: text from the
 * network never becomes a label.
 */
export function openIncidents(
  incidents: readonly TellableIncident[],
  named: ReadonlySet<string>,
): readonly OpenIncident[] {
  const open = incidents
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity) || a.openedAt - b.openedAt)
    .map(({ cause: { id, severity, subject } }) => ({
      cause: id,
      severity,
      subject: named.has(subject) ? subject : OTHER_SUBJECT,
    }));
  return [...new Map(open.map((each) => [JSON.stringify(each), each])).values()].slice(0, MOST);
}
