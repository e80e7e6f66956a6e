import { headline } from '../../checks/headline.ts';
import { counted } from '../../core/counted.ts';
import type { Cause } from '../../engine/cause.ts';
import { lastedText } from '../../engine/incident/lasted.ts';
import type { DigestNotification, IncidentNotification, Notification } from '../../engine/incident/notification.ts';
import { type Links, notificationLinks } from './links.ts';
import type { MessageContext } from './message-context.ts';
import { subjectOf } from './subject.ts';

/**
 * What any channel shows of a notification. Plain text that may quote strangers: each channel escapes it as its service
 * asks, and cuts it where the service does. Only `subject` is on one line and visible in any case.
 */
export interface NotificationText {
  /** At most 60 characters, and whole without the rest: `CRITICAL hq: TLS intercepted by FortiGate`. */
  readonly subject: string;
  readonly tone: Tone;
  /** What to do now: it comes first, and does not repeat the subject. */
  readonly action: string;
  /** What is wrong, or was, in a sentence or two. */
  readonly summary: string;
  readonly links: Links;
}

/** Of what lasts when the message is made: `good` says that nothing does. */
export type Tone = 'critical' | 'warning' | 'good' | 'neutral';

const NOTHING_TO_DO = 'There is nothing to do.';

export function notificationText(notification: Notification, context: MessageContext): NotificationText {
  return {
    subject: subjectOf(notification, context.site),
    ...contentOf(notification, context.site),
    links: notificationLinks(notification, context),
  };
}

function contentOf(notification: Notification, site: string): Pick<NotificationText, 'tone' | 'action' | 'summary'> {
  switch (notification.kind) {
    case 'incident':
      return incidentContent(notification);
    case 'digest':
      return digestContent(notification);
    case 'note':
      return { tone: notification.tone, action: notification.action, summary: notification.summary };
    case 'test':
      return {
        tone: 'neutral',
        action: `${NOTHING_TO_DO} Notifications from ftm-watch at ${site} arrive here.`,
        summary: 'This is a test: nothing is broken because of this message.',
      };
  }
}

function incidentContent({ event, incident, stillOpen }: IncidentNotification) {
  const { cause } = incident;
  if (event !== 'resolved') return { tone: toneOf([cause]), action: firstStep(cause), summary: cause.summary };
  const [gravest] = stillOpen;
  return {
    tone: toneOf(stillOpen),
    action: gravest === undefined ? NOTHING_TO_DO : `This is over, but not all: ${headline(gravest)}.`,
    summary: `It lasted ${lastedText(incident)}. ${cause.summary}`,
  };
}

function digestContent({ items, omitted, stillOpen }: DigestNotification) {
  const open = items.map(({ incident }) => incident).filter(({ status }) => status === 'open');
  const [gravest] = open;
  const [other] = stillOpen;
  return {
    tone: toneOf([...open.map(({ cause }) => cause), ...stillOpen]),
    action:
      gravest !== undefined
        ? `Begin with the gravest, ${headline(gravest.cause)}: ${firstStep(gravest.cause)}`
        : other === undefined
          ? NOTHING_TO_DO
          : `These are over, but not all: ${headline(other)}.`,
    summary: `This message is about ${counted(items.length + omitted, 'incident')}.`,
  };
}

function firstStep({ remedy, summary }: Cause): string {
  return remedy[0] ?? summary;
}

function toneOf(open: readonly Pick<Cause, 'severity'>[]): Tone {
  if (open.length === 0) return 'good';
  return open.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning';
}
