import { createHash } from 'node:crypto';
import { visibleText } from '../../core/visible-text.ts';
import type { Notification, IncidentNotification } from '../../engine/incident/incident.ts';
import { type NotificationText, subjectOf } from '../message/notification-text.ts';

/** More is no message any more: the page has the rest. */
const MAX_PARAGRAPH = 1_000;
const MAX_ITEMS = 10;

/**
 * The text below the subject, what is wrong and then what to do: paragraphs of one line, safe to show, that the service
 * still has to escape. A digest and a note list their items.
 */
export function messageParagraphs(
  notification: Notification,
  { action, summary }: Pick<NotificationText, 'action' | 'summary'>,
  site: string,
): readonly string[] {
  const items = digestItems(notification).map((item) => subjectOf(item, site));
  const more = items.length + omittedOf(notification) - MAX_ITEMS;
  const notes = notification.kind === 'note' ? notification.sections : [];
  const sections = notes.map(({ title, lines }) => `${title}: ${lines.join('; ')}`);
  return [
    summary,
    action,
    ...sections,
    ...items.slice(0, MAX_ITEMS),
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ].map((text) => visibleText(text, MAX_PARAGRAPH));
}

function omittedOf(notification: Notification): number {
  return notification.kind === 'digest' ? notification.omitted : 0;
}

/** What a digest tells, as if each item had been told by itself; nothing of another notification. */
export function digestItems(notification: Notification): readonly IncidentNotification[] {
  if (notification.kind !== 'digest') return [];
  const { id, at, items, stillOpen } = notification;
  return items.map(({ event, incident }) => ({
    kind: 'incident',
    id,
    at,
    event,
    incident,
    nextReminder: null,
    stillOpen,
  }));
}

/** What a service takes as one fault, whichever agent of a site tells it: 64 characters. */
export function faultKey(site: string, cause: string, subject: string): string {
  return createHash('sha256')
    .update(JSON.stringify([site, cause, subject]))
    .digest('hex');
}
