import type { Cause } from '../../../engine/cause.ts';
import { isOnlyUnseen } from '../../../checks/only-unseen.ts';
import { eventOf, incidentsOf } from '../../../engine/incident/notification.ts';
import type {
  DigestNotification,
  IncidentNotification,
  Notification,
  OpenCause,
} from '../../../engine/incident/notification.ts';
import { visibleText } from '../../../core/visible-text.ts';
import { headline } from '../../../checks/headline.ts';
import { emailContentHtml } from './email-content-html.ts';
import { type ContentContext, emailContentOf } from './email-content.ts';
import { emailContentText } from './email-content-text.ts';
import { toldCause } from './told-cause.ts';

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

export interface MessageContext extends ContentContext {
  /** Sender address: its domain makes the Message-ID unique. */
  readonly from: string;
}

/** RFC 5322 §2.1.1 allows 998 characters a line; nobody reads more than this of a subject. */
const MAX_SUBJECT = 200;
const MAX_SITE = 100;

export function composeMessage(notification: Notification, context: MessageContext): Message {
  const site = visibleText(context.site, MAX_SITE) || '-';
  const content = emailContentOf(notification, { site, delayed: context.delayed });
  const causes = [...new Set(incidentsOf(notification).map(({ cause }) => cause.id))];
  return {
    subject: visibleText(`[${site}] ${subjectOf(notification)}`, MAX_SUBJECT),
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

function subjectOf(notification: Notification): string {
  switch (notification.kind) {
    case 'incident':
      return incidentSubject(notification);
    case 'digest':
      return digestSubject(notification);
    case 'test':
      return 'FortiToken Mobile monitoring: test message';
  }
}

function incidentSubject({ event, incident, stillOpen }: IncidentNotification): string {
  const cause = event === 'resolved' ? toldCause(incident) : incident.cause;
  const what = headline(cause);
  const { what: part, state } = stateOf(cause);
  switch (event) {
    case 'firing':
      return `FortiToken Mobile ${part} is ${state}: ${what}`;
    case 'reminder':
      return `FortiToken Mobile ${part} is still ${state}: ${what}`;
    case 'changed':
      return `FortiToken Mobile ${part} is ${state}, the cause is now: ${what}`;
    case 'resolved':
      return `FortiToken Mobile ${part}: resolved: ${what}${openSuffix(stillOpen)}`;
  }
}

function stateOf(cause: Pick<Cause, 'id' | 'severity'>) {
  if (isOnlyUnseen(cause)) return { what: 'monitoring', state: 'incomplete' };
  return { what: 'activation', state: cause.severity === 'critical' ? 'broken' : 'at risk' };
}

/** The gravest that is still open, for those who read no more than the subject. */
function openSuffix([gravest, ...others]: readonly OpenCause[]): string {
  if (gravest === undefined) return '';
  return ` (still open: ${headline(gravest)}${others.length === 0 ? '' : `, and ${String(others.length)} more`})`;
}

function digestSubject({ items, omitted }: DigestNotification): string {
  const open = items.filter(({ incident }) => incident.status === 'open').length + omitted;
  const over = items.length + omitted - open;
  return `FortiToken Mobile activation: ${String(open)} more incidents open, ${String(over)} resolved`;
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
