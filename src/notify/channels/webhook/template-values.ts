import { isoTime } from '../../../core/instant-text.ts';
import { eventOf, type Notification } from '../../../engine/incident/notification.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { notificationText } from '../../message/notification-text.ts';
import { faultKey } from '../fault-key.ts';
import { messageParagraphs } from '../message-paragraphs.ts';

/** What a template may name. */
export const TEMPLATE_NAMES = [
  'id',
  'event',
  'site',
  'time',
  'tone',
  'title',
  'text',
  'cause',
  'subject',
  'severity',
  'incident',
  'key',
  'page',
  'runbook',
] as const;

type TemplateValues = Readonly<Record<(typeof TEMPLATE_NAMES)[number], string>>;

/** Of a notification about several incidents, or none, what is about one is empty. */
export function templateValues(notification: Notification, context: MessageContext): TemplateValues {
  const text = notificationText(notification, context);
  return {
    id: notification.id,
    event: eventOf(notification),
    site: context.site,
    time: isoTime(notification.at),
    tone: text.tone,
    title: text.subject,
    text: messageParagraphs(notification, text, context.site).join('\n'),
    ...incidentValues(notification, context),
    page: text.links.page ?? '',
    runbook: text.links.runbook ?? '',
  };
}

function incidentValues(
  notification: Notification,
  { site }: MessageContext,
): Pick<TemplateValues, 'cause' | 'subject' | 'severity' | 'incident' | 'key'> {
  if (notification.kind !== 'incident') return { cause: '', subject: '', severity: '', incident: '', key: '' };
  const { id, cause } = notification.incident;
  const { subject, severity } = cause;
  return { cause: cause.id, subject, severity, incident: id, key: faultKey(site, cause.id, subject) };
}
