import type { EpochMs } from '../core/clock.ts';
import type { Parcel } from '../core/incident/journal.ts';
import type { Notification } from '../core/incident/notification.ts';
import type { Channel } from './channel.ts';

/** A notification for every recipient of every channel, none of them tried yet. */
export function parcelsFor(notification: Notification, channels: readonly Channel[], now: EpochMs): readonly Parcel[] {
  return channels.flatMap((channel) =>
    channel.recipients.map(
      (recipient): Parcel => ({
        notification,
        delivery: {
          notificationId: notification.id,
          channel: channel.id,
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
