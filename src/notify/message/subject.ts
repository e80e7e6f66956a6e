import { shortCause } from '../../checks/short-cause.ts';
import { counted } from '../../core/counted.ts';
import { spanText } from '../../core/duration.ts';
import { visibleText } from '../../core/visible-text.ts';
import type {
  DigestNotification,
  IncidentNotification,
  NoteEvent,
  Notification,
} from '../../engine/incident/notification.ts';
import { toldCause } from './told-cause.ts';

/** What a phone shows of a subject, in characters. */
const MAX_SUBJECT = 60;

const NOTE_STATES: Readonly<Record<NoteEvent, string>> = {
  restart: 'RESTARTED',
  summary: 'SUMMARY',
};

/**
 * One line of at most 60 characters: how bad it is, where, and what it is. The site gets what the others leave, which
 * is seven characters or more.
 */
export function subjectOf(notification: Notification, site: string): string {
  switch (notification.kind) {
    case 'incident':
      return incidentSubject(notification, site);
    case 'digest':
      return digestSubject(notification, site);
    case 'note':
      return line(NOTE_STATES[notification.event], site, `: ${notification.short}`);
    case 'test':
      return line('TEST', site, ': test message of ftm-watch');
  }
}

function incidentSubject({ event, incident, at, stillOpen }: IncidentNotification, site: string): string {
  const { cause, since } = incident;
  const severity = cause.severity.toUpperCase();
  switch (event) {
    case 'firing':
      return causeLine(severity, site, '', cause);
    case 'reminder':
      return causeLine('REMINDER', site, ` (${spanText(Math.max(0, at - since))})`, cause);
    case 'changed':
      return causeLine(severity, site, ' (changed)', cause);
    case 'resolved': {
      // What is still open must not be hidden by the end of something else.
      const open = stillOpen.length === 0 ? '' : ` (${String(stillOpen.length)} open)`;
      return causeLine('RESOLVED', site, open, toldCause(incident));
    }
  }
}

/** A longer name of the cause takes no more of the site than its first seven characters. */
const SITE_AT_LEAST = 7;

function causeLine(state: string, site: string, more: string, cause: Parameters<typeof shortCause>[0]): string {
  const around = `${state} ${more}: `.length + Math.min(site.length, SITE_AT_LEAST);
  return line(state, site, `${more}: ${shortCause(cause, MAX_SUBJECT - around)}`);
}

function digestSubject({ items, omitted, stillOpen }: DigestNotification, site: string): string {
  const openCauses = [
    ...items.flatMap(({ incident }) => (incident.status === 'open' ? [incident.cause] : [])),
    ...stillOpen,
  ];
  const open = openCauses.length + omitted;
  const over = items.filter(({ incident }) => incident.status === 'closed').length;
  if (open === 0) return line('RESOLVED', site, `: ${counted(over, 'incident')}`);
  const state = openCauses.some(({ severity }) => severity === 'critical') ? 'CRITICAL' : 'WARNING';
  return line(state, site, `: ${counted(open, 'incident')} open, ${String(over)} over`);
}

function line(state: string, site: string, rest: string): string {
  const room = MAX_SUBJECT - state.length - 1 - rest.length;
  return `${state} ${visibleText(site, room) || '-'}${rest}`;
}
