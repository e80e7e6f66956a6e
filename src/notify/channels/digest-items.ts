import type { IncidentNotification, Notification } from '../../engine/incident/notification.ts';

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
