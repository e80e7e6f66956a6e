import { visibleText } from '../../core/visible-text.ts';
import type { TimeStyle, Tone, Word } from '../../document/document.ts';
import type { TimelineEvent } from '../../document/incident-story.ts';
import {
  type Delivery,
  eventOf,
  incidentsOf,
  type Notification,
  type OutboxEntry,
} from '../../engine/incident/incident.ts';
import { withoutPath } from '../../text/mask.ts';
import { channelWords } from '../../config/schema/channels.ts';

export const EVENT_WORDS: Readonly<Record<ReturnType<typeof eventOf>, string>> = {
  firing: 'Alarm',
  reminder: 'Reminder',
  changed: 'Change',
  resolved: 'All-clear',
  digest: 'Digest',
  test: 'Test',
  restart: 'Restart',
  summary: 'Summary',
};

export interface DeliveryGroup {
  readonly notification: Notification;
  /** Recipients with the same delivery status are grouped. */
  readonly ways: readonly Way[];
}

export interface Way {
  /** The delivery to the first recipient. The other recipients have the same status. */
  readonly delivery: Delivery;
  readonly recipients: readonly string[];
}

/** Keeps the order of the outbox entries. */
export function deliveryGroupsOf(outboxEntries: readonly OutboxEntry[]): readonly DeliveryGroup[] {
  const byNotification = Map.groupBy(outboxEntries, ({ notification }) => notification.id);
  return [...byNotification.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [{ notification: first.notification, ways: waysOf(group.map(({ delivery }) => delivery)) }];
  });
}

function waysOf(deliveries: readonly Delivery[]): readonly Way[] {
  const alike = Map.groupBy(deliveries, ({ channel, status, detail, attempts }) =>
    JSON.stringify(status === 'sent' ? [channel, status] : [channel, status, detail, attempts]),
  );
  return [...alike.values()].flatMap((group) => {
    const [delivery] = group;
    return delivery === undefined ? [] : [{ delivery, recipients: group.map(({ recipient }) => recipient) }];
  });
}

/** The messages to each recipient, and whether they arrived. */
export function notificationEvents(outboxEntries: readonly OutboxEntry[], times: TimeStyle): readonly TimelineEvent[] {
  return deliveryGroupsOf(outboxEntries).flatMap(({ notification, ways }) => {
    const [first, ...others] = incidentsOf(notification);
    const incident = first === undefined || others.length > 0 ? null : first.id;
    return ways.map((way): TimelineEvent => {
      const { tone, word } = wayState(way.delivery);
      const words = [`${EVENT_WORDS[eventOf(notification)]}: ${word.toLowerCase()} `, ...wayWords(way, times)];
      return { at: notification.at, kind: 'notification', incident, words, tone };
    });
  });
}

export function wayState({ status, attempts }: Delivery): { readonly tone: Tone; readonly word: string } {
  switch (status) {
    case 'sent':
      return { tone: 'good', word: 'Sent' };
    case 'pending':
      return attempts === 0 ? { tone: 'wait', word: 'Being sent' } : { tone: 'warn', word: 'Waiting' };
    case 'rejected':
    case 'expired':
      return { tone: 'bad', word: 'Failed' };
    case 'withdrawn':
      return { tone: 'unsure', word: 'Withdrawn' };
  }
}

/** Any further recipients are only counted. */
const MAX_RECIPIENTS = 4;
/** `/api/v1/notifications` contains the complete reply. */
const MAX_REPLY = 160;

/** Includes the reply of recipients that did not accept the notification. */
export function wayWords({ delivery, recipients }: Way, times: TimeStyle): readonly Word[] {
  const { status, attempts, nextAttemptAt, finishedAt, createdAt, channel } = delivery;
  const masked = recipients.slice(0, MAX_RECIPIENTS).map((recipient) => maskedRecipient({ channel, recipient }));
  const more = recipients.length - masked.length;
  const to = `by ${channelWords(channel).name} to ${masked.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
  const at = finishedAt ?? createdAt;
  const ended = { at, text: times(at) };
  const reply = visibleText(maskedDetail(delivery), MAX_REPLY);
  const failed = [`, ${tries(attempts)}${reply === '' ? '' : `: ${reply}`}`];
  switch (status) {
    case 'sent':
      return [`${to} at `, ended];
    case 'pending':
      if (attempts === 0) return [to];
      return [`${to}, next attempt at `, { at: nextAttemptAt, text: times(nextAttemptAt) }, ...failed];
    case 'rejected':
      return [`${to}, rejected at `, ended, ...failed];
    case 'expired':
      return [`${to}, not delivered, last attempt at `, ended, ...failed];
    case 'withdrawn':
      return [`${to} at `, ended, ...failed];
  }
}

function tries(attempts: number): string {
  return attempts === 1 ? 'tried once' : `tried ${String(attempts)} times`;
}

/** Matches the user part of a mail address and captures its first character. */
const MAIL_USER = /([\w!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{0,63}@(?=[a-z\d[])/giu;
const PLACE = /^(?:file|environment variable) "/u;
const WEB_ADDRESS = /\bhttps?:\/\/[^\s"'<>]+/giu;

/**
 * A mail address is reduced to its first letter and its domain. A webhook URL is reduced to its host, because the path
 * may be secret.
 */
export function maskedRecipient({ channel, recipient }: Pick<Delivery, 'channel' | 'recipient'>): string {
  switch (channelWords(channel).recipients) {
    case 'mail-address':
      return withoutUsers(recipient);
    case 'url':
      // If the URL is read from a file or environment variable, the recipient is the name of that source.
      return PLACE.test(recipient) ? recipient : withoutPath(recipient);
    case 'name':
      return recipient.includes('://') && !PLACE.test(recipient) ? withoutPath(recipient) : recipient;
  }
}

/** Removes mail addresses and paths from the recipient's last response. */
export function maskedDetail({ detail }: Pick<Delivery, 'detail'>): string {
  return withoutUsers(detail.replaceAll(WEB_ADDRESS, withoutPath));
}

function withoutUsers(text: string): string {
  return text.replaceAll(MAIL_USER, '$1…@');
}
