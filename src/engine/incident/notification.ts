import type { Cause } from '../cause.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Incident } from './incident.ts';

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/** What is to be told, complete in itself: it may be delivered long after the machine went on. */
export type Notification = IncidentNotification | DigestNotification | TestNotification;

export interface IncidentNotification {
  readonly kind: 'incident';
  /** Unique: the name of the mail is made from it, so that a repeated delivery can be recognised. */
  readonly id: string;
  readonly at: EpochMs;
  readonly event: Exclude<NotificationEvent, 'digest'>;
  /** As it was at `at`. */
  readonly incident: Incident;
  readonly nextReminder: EpochMs | null;
  readonly stillOpen: readonly OpenCause[];
}

/** A fault that was open when a notification about others was made. */
export interface OpenCause extends Pick<Cause, 'id' | 'subject' | 'severity' | 'product'> {
  readonly since: EpochMs;
}

/** Several incidents in one notification. */
export interface DigestNotification {
  readonly kind: 'digest';
  readonly id: string;
  readonly at: EpochMs;
  /** Gravest first. */
  readonly items: readonly DigestItem[];
  /** More than fit in. */
  readonly omitted: number;
  /** The others. */
  readonly stillOpen: readonly OpenCause[];
}

export interface DigestItem {
  readonly event: Exclude<NotificationEvent, 'digest'>;
  readonly incident: Incident;
}

/** Sent by hand, to see whether the way to people works. */
export interface TestNotification {
  readonly kind: 'test';
  readonly id: string;
  readonly at: EpochMs;
}

/** The incidents that a notification tells of: none for a test. */
export function incidentsOf(notification: Notification): readonly Incident[] {
  switch (notification.kind) {
    case 'incident':
      return [notification.incident];
    case 'digest':
      return notification.items.map(({ incident }) => incident);
    case 'test':
      return [];
  }
}

/** The value of the header and of the JSON field `event`. */
export function eventOf(notification: Notification): NotificationEvent | 'test' {
  return notification.kind === 'incident' ? notification.event : notification.kind;
}
