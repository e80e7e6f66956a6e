import { compareSeverity, type Severity } from '../core/severity.ts';
import type { Incident } from '../engine/incident/incident.ts';
import type { Notification } from '../engine/incident/notification.ts';

/**
 * What of a notification is told to those who want nothing less grave than `least`; null: nothing. A test is told to
 * everybody.
 */
export function bySeverity(notification: Notification, least: Severity): Notification | null {
  switch (notification.kind) {
    case 'incident':
      return isGraveEnough(notification.incident, least) ? notification : null;
    case 'digest': {
      const items = notification.items.filter(({ incident }) => isGraveEnough(incident, least));
      if (items.length === notification.items.length) return notification;
      // The gravest come first: what did not fit in is no graver than what is left out.
      return items.length === 0 ? null : { ...notification, items, omitted: 0 };
    }
    case 'test':
      return notification;
  }
}

/** As grave as it was ever named: whoever heard of the beginning hears how it goes on, and of the end. */
export function isGraveEnough({ cause, lastNotified }: Incident, least: Severity): boolean {
  const severities = [cause, ...(lastNotified?.named ?? [])].map(({ severity }) => severity);
  return severities.some((severity) => compareSeverity(severity, least) <= 0);
}
