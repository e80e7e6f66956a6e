import {
  eventOf,
  incidentsOf,
  type Delivery,
  type OutboxEntry,
  type Notification,
} from '../../engine/incident/incident.ts';
import type { AlertHistory, Activity } from '../sources.ts';
import type { ChannelState } from '../../notify/channels/channel.ts';
import { more, badge, distance, type Reader } from './document.ts';
import { type Markup, markup, type Content } from '../../document/html.ts';
import { visibleText } from '../../core/visible-text.ts';
import { channelWords } from '../../notify/channels/registry.ts';
import { maskedDetail, maskedRecipient } from '../incident-json.ts';

const MAX_TROUBLED = 10;
const MAX_ARRIVED = 15;
const MAX_CAUSES = 3;

type Event = ReturnType<typeof eventOf>;

export const EVENT_WORDS: Readonly<Record<Event, string>> = {
  firing: 'Alarm',
  reminder: 'Reminder',
  changed: 'Change',
  resolved: 'All-clear',
  digest: 'Digest',
  test: 'Test',
  restart: 'Restart',
  summary: 'Summary',
};

/** Latest first. Undelivered notifications are always visible, and the others are collapsed. */
export function notificationsView(
  { outboxEntries, complete }: AlertHistory,
  { states, noChannel }: Pick<Activity, 'states' | 'noChannel'>,
  reader: Reader,
): Markup {
  const groups = deliveryGroupsOf(outboxEntries);
  const troubled = groups.filter(isTroubled);
  const arrived = groups.filter((group) => !isTroubled(group));
  return markup`<section id="notifications" class="card notifications" aria-labelledby="notifications-title">
<h2 id="notifications-title">Notifications${
    troubled.length === 0 ? null : markup` <span class="count">${troubled.length} not delivered</span>`
  }</h2>
${noChannel === null ? null : markup`<p>${badge('warn', noChannel)}</p>`}
${states.map(silentView)}
${groups.length === 0 ? markup`<p class="quiet">No recent notifications.</p>` : null}
${
  troubled.length === 0
    ? null
    : markup`<ul class="incidents">${troubled
        .slice(0, MAX_TROUBLED)
        .map((group) => deliveryGroupView(group, reader))}</ul>${more(troubled.length - MAX_TROUBLED, 'notifications')}`
}
${
  arrived.length === 0
    ? null
    : markup`<details id="sent-notifications"><summary>Sent recently: ${arrived.length}</summary>
<ul class="incidents">${arrived.slice(0, MAX_ARRIVED).map((group) => deliveryGroupView(group, reader))}</ul>
${more(arrived.length - MAX_ARRIVED, 'notifications')}</details>`
}
${complete ? null : HISTORY_MISSING}
</section>`;
}

function silentView({ name, silent }: ChannelState): Markup | null {
  if (silent === 0) return null;
  return markup`<p>${badge('warn', name)} <span class="quiet">${
    silent === 1 ? 'one instance' : `${String(silent)} instances`
  } did not accept the last message; retrying</span></p>`;
}

export const HISTORY_MISSING: Markup = markup`<p class="quiet">The history is not available, so resolved incidents and sent notifications may be missing.</p>`;

function deliveryGroupView(group: DeliveryGroup, reader: Reader): Markup {
  const { notification } = group;
  const incidents = incidentsOf(notification);
  const causes = incidents.slice(0, MAX_CAUSES).map(({ cause }) => markup` <code class="tag">${cause.id}</code>`);
  const others = incidents.length - causes.length;
  return markup`<li><p><strong>${EVENT_WORDS[eventOf(notification)]}</strong>${causes}${
    others > 0 ? ` and ${String(others)} more` : null
  } <span class="quiet">${distance(notification.at, reader)}</span></p>${waysView(group, reader)}</li>`;
}

/** Any further recipients are only counted. */
const MAX_RECIPIENTS = 4;
/** `/api/v1/notifications` contains the complete reply. */
const MAX_REPLY = 160;

/** Includes the replies of recipients that did not accept the notification. */
export function waysView({ ways }: DeliveryGroup, reader: Reader): Markup {
  return markup`<ul class="ways">${ways.map(
    (way) => markup`<li>${wayView(way, reader)}${way.delivery.status === 'sent' ? null : lastError(way.delivery)}</li>`,
  )}</ul>`;
}

function wayView({ delivery, recipients }: Way, reader: Reader): Content {
  const { status, attempts, nextAttemptAt, finishedAt, createdAt } = delivery;
  const to = markup`by ${channelWords(delivery.channel).name} to ${recipientsText(delivery, recipients)}`;
  const when = distance(finishedAt ?? createdAt, reader);
  switch (status) {
    case 'sent':
      return markup`${badge('good', 'Sent')} <span class="quiet">${to} ${when}</span>`;
    case 'pending':
      if (attempts === 0) return markup`${badge('wait', 'Being sent')} <span class="quiet">${to}</span>`;
      return markup`${badge('warn', 'Waiting')} <span class="quiet">${to}; ${tries(attempts)}, next attempt ${distance(
        nextAttemptAt,
        reader,
      )}</span>`;
    case 'rejected':
      return markup`${badge('bad', 'Failed')} <span class="quiet">${to}: rejected ${when}, ${tries(attempts)}</span>`;
    case 'expired':
      return markup`${badge('bad', 'Failed')} <span class="quiet">${to}: not delivered, last attempt ${when}, ${tries(attempts)}</span>`;
    case 'withdrawn':
      return markup`${badge('unsure', 'Withdrawn')} <span class="quiet">${to} ${when}, ${tries(attempts)}</span>`;
  }
}

export function recipientsText(delivery: Delivery, recipients: readonly string[]): string {
  const masked = recipients.slice(0, MAX_RECIPIENTS).map((recipient) => maskedRecipient({ ...delivery, recipient }));
  const more = recipients.length - masked.length;
  return `${masked.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function tries(attempts: number): string {
  return attempts === 1 ? 'tried once' : `tried ${String(attempts)} times`;
}

function lastError(delivery: Delivery): Markup | null {
  return delivery.detail === '' ? null : markup`<p class="reply">${visibleText(maskedDetail(delivery), MAX_REPLY)}</p>`;
}

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

function isTroubled({ ways }: DeliveryGroup): boolean {
  return ways.some(({ delivery: { status } }) => status !== 'sent' && status !== 'withdrawn');
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
