import { eventOf, incidentsOf } from '../../../engine/incident/notification.ts';
import type { Notification } from '../../../engine/incident/notification.ts';
import { visibleText } from '../../../core/visible-text.ts';
import { emailContentHtml } from './email-content-html.ts';
import { type ContentContext, emailContentOf } from './email-content.ts';
import { emailContentText } from './email-content-text.ts';

/** A mail without its envelope. No header can hold a line break. */
export interface Message {
  readonly subject: string;
  readonly messageId: string;
  /** Message-IDs of the same incident, the one that began it first. */
  readonly references: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

export interface MailContext extends ContentContext {
  /** Sender address: its domain makes the Message-ID unique. */
  readonly from: string;
}

const MAX_SITE = 100;

export function composeMessage(notification: Notification, context: MailContext): Message {
  const site = visibleText(context.site, MAX_SITE) || '-';
  const content = emailContentOf(notification, { ...context, site });
  const causes = [...new Set(incidentsOf(notification).map(({ cause }) => cause.id))];
  return {
    subject: content.subject,
    messageId: messageIdOf(notification.id, context.from),
    references: threadOf(notification).map((id) => messageIdOf(id, context.from)),
    headers: {
      'X-FTM-Watch-Event': eventOf(notification),
      ...(causes.length === 0 ? {} : { 'X-FTM-Watch-Cause': causes.join(', ') }),
      'X-FTM-Watch-Site': site,
      // RFC 3834: nobody's absence note is to answer it. The second is what Exchange heeds.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    text: emailContentText(content),
    html: emailContentHtml(content),
  };
}

function threadOf(notification: Notification): readonly string[] {
  if (notification.kind !== 'incident') return [];
  const { first, last } = notification.incident.thread;
  return [...new Set([first, last])].filter((id) => id !== null);
}

/** The same notification has the same Message-ID at each try: a mail server that got it twice can tell. */
function messageIdOf(id: string, from: string): string {
  const domain = /@([\w.-]+)/u.exec(from)?.[1] ?? 'localhost';
  return `<ftm-watch.${id.replaceAll(/[^\w.-]/gu, '-')}@${domain}>`;
}
