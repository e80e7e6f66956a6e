import { visibleText } from '../../core/visible-text.ts';
import { withIncidents } from './incident.ts';
import type { Acknowledgement, Incident, IncidentState } from './incident.ts';

const MAX_NAME = 100;

/**
 * Somebody works on an incident: its reminders stop, and nothing else. It ends with the incident, or when its cause
 * changes.
 */
export function acknowledge(state: IncidentState, id: string, { at, by }: Acknowledgement): IncidentState {
  return withOpen(state, id, (incident) => ({
    ...incident,
    acknowledgement: { at, by: visibleText(by, MAX_NAME) },
  }));
}

/** Nobody does any more: reminders go on. */
export function unacknowledge(state: IncidentState, id: string): IncidentState {
  return withOpen(state, id, (incident) => ({ ...incident, acknowledgement: null }));
}

function withOpen(state: IncidentState, id: string, change: (incident: Incident) => Incident): IncidentState {
  return withIncidents(
    state,
    state.incidents.filter((incident) => incident.id === id && incident.status === 'open').map(change),
  );
}
