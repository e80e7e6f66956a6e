import type { EpochMs } from '../core/clock.ts';
import type { Parcel } from '../engine/incident/journal.ts';
import type { Notification } from '../engine/incident/notification.ts';
import type { Channel } from './channel.ts';

/** A notification on its way to everybody. */
export function parcelsOf(notification: Notification, channels: readonly Channel[], now: EpochMs): readonly Parcel[] {
  return channels.flatMap(({ id, recipients }) =>
    recipients.map(
      (recipient): Parcel => ({
        notification,
        delivery: {
          notificationId: notification.id,
          channel: id,
          recipient,
          status: 'pending',
          createdAt: now,
          attempts: 0,
          firstFailedAt: null,
          nextAttemptAt: now,
          finishedAt: null,
          detail: '',
        },
      }),
    ),
  );
}
