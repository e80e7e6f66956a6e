import type { FaultId } from '../../../src/checks/registry.ts';
import type { Cause } from '../../../src/engine/model.ts';
import type { EpochMs } from '../../../src/core/clock.ts';
import type {
  FormerCause,
  Incident,
  Delivery,
  OutboxEntry,
  Notification,
} from '../../../src/engine/incident/incident.ts';
import { causeOf } from '../checks/diagnosis-of.ts';
import { START, timeline } from '../store/incident-timeline.ts';

/** Returns an incident that opened at the second round, 30 s after START. */
export function incidentOf(cause: Cause = causeOf('tls-intercepted')): Incident {
  const [incident] = timeline().rounds(2, [cause]).state.incidents;
  if (incident === undefined) throw new Error('No incident was opened');
  return incident;
}

/** Returns an earlier cause of an incident, from START until the given time. */
export function formerCauseOf(id: FaultId, until: EpochMs, subject = 'host:443'): FormerCause {
  return { id, subject, severity: 'critical', since: START, until, replacedAt: until, published: true };
}

export function incidentNotificationOf(
  incident: Incident,
  more: Partial<Extract<Notification, { readonly kind: 'incident' }>> = {},
): Notification {
  return {
    kind: 'incident',
    id: `${incident.id}-1`,
    at: START + 30_000,
    event: 'firing',
    incident,
    nextReminder: null,
    stillOpen: [],
    ...more,
  };
}

/** Returns the notification that tells of the start of an incident with this cause. */
export function firingOf(cause: Cause = causeOf('tls-intercepted')): Notification {
  const [firing] = timeline().rounds(2, [cause]).told;
  if (firing === undefined) throw new Error('Nothing was told');
  return firing;
}

/** Returns a notification to one recipient that has not been attempted yet. */
export function outboxEntryOf(notification: Notification, more: Partial<Delivery> = {}): OutboxEntry {
  const delivery: Delivery = {
    notificationId: notification.id,
    channel: 'email',
    recipient: 'admins@example.org',
    status: 'pending',
    createdAt: notification.at,
    attempts: 0,
    firstFailedAt: null,
    nextAttemptAt: notification.at,
    finishedAt: null,
    detail: '',
    ...more,
  };
  return { notification, delivery };
}
