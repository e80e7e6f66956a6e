import type { Cause } from '../cause.ts';
import type { Severity } from '../../core/severity.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Incident } from './incident.ts';

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/** What is to be told, complete in itself: it may be delivered long after the machine went on. */
export type Notification = IncidentNotification | DigestNotification | TestNotification | NoteNotification;

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
export interface OpenCause extends Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
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

/** What ftm-watch tells of itself. Its texts are made when it is, in the zone of the site. */
export interface NoteNotification {
  readonly kind: 'note';
  readonly id: string;
  readonly at: EpochMs;
  /** `restart`: it had ended without being asked to; `summary`: how it was since the last one. */
  readonly event: NoteEvent;
  /** What it is about in at most 32 characters, for the subject. */
  readonly short: string;
  readonly tone: NoteTone;
  /** What to do now. */
  readonly action: string;
  /** What happened, in a sentence or two. */
  readonly summary: string;
  readonly sections: readonly NoteSection[];
}

/** Of what lasts: `good` says that nothing does. */
export type NoteTone = Exclude<Severity, 'info'> | 'good';

export type NoteEvent = 'restart' | 'summary';

export interface NoteSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The incidents that a notification tells of: none for a test and a note. */
export function incidentsOf(notification: Notification): readonly Incident[] {
  switch (notification.kind) {
    case 'incident':
      return [notification.incident];
    case 'digest':
      return notification.items.map(({ incident }) => incident);
    case 'test':
    case 'note':
      return [];
  }
}

/** The value of the header and of the JSON field `event`. */
export function eventOf(notification: Notification): NotificationEvent | NoteEvent | 'test' {
  switch (notification.kind) {
    case 'incident':
    case 'note':
      return notification.event;
    case 'digest':
    case 'test':
      return notification.kind;
  }
}
