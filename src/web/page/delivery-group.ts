import type { Delivery, OutboxEntry } from '../../engine/incident/journal.ts';
import type { Notification } from '../../engine/incident/notification.ts';

/** A notification with all the ways it went. */
export interface DeliveryGroup {
  readonly notification: Notification;
  /** Recipients to whom the same happened are together. */
  readonly ways: readonly Way[];
}

export interface Way {
  /** Of the first recipient; it stands for all. */
  readonly delivery: Delivery;
  readonly recipients: readonly string[];
}

/** In the order of the outbox entries. */
export function deliveryGroupsOf(outboxEntries: readonly OutboxEntry[]): readonly DeliveryGroup[] {
  const byNotification = Map.groupBy(outboxEntries, ({ notification }) => notification.id);
  return [...byNotification.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [{ notification: first.notification, ways: waysOf(group.map(({ delivery }) => delivery)) }];
  });
}

/** Something of it has not arrived. */
export function isTroubled({ ways }: DeliveryGroup): boolean {
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
