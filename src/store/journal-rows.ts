import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { IncidentState } from '../core/incident/incident.ts';
import type { Delivery, Parcel } from '../core/incident/journal.ts';
import { parseNotification, parseState } from './saved-state.ts';

const row = z
  .object({
    notification: z.string(),
    channel: z.literal(['email', 'webhook']),
    recipient: z.string(),
    status: z.literal(['pending', 'sent', 'rejected', 'expired']),
    created_at: z.number(),
    attempts: z.number(),
    first_failed_at: z.number().nullable(),
    next_attempt_at: z.number(),
    finished_at: z.number().nullable(),
    detail: z.string(),
  })
  .transform(
    (columns): Delivery => ({
      notificationId: columns.notification,
      channel: columns.channel,
      recipient: columns.recipient,
      status: columns.status,
      createdAt: columns.created_at,
      attempts: columns.attempts,
      firstFailedAt: columns.first_failed_at,
      nextAttemptAt: columns.next_attempt_at,
      finishedAt: columns.finished_at,
      detail: columns.detail,
    }),
  );

export function readState(db: DatabaseSync): IncidentState | null {
  const json = db.prepare('SELECT json FROM incident_state').get()?.['json'];
  return typeof json === 'string' ? parseState(json) : null;
}

export function readPending(db: DatabaseSync): readonly Parcel[] {
  return parcels(db, "WHERE d.status = 'pending' ORDER BY d.sequence LIMIT 5000");
}

/** The deliveries of the past, latest first. */
export function readDeliveries(db: DatabaseSync, limit: number): readonly Parcel[] {
  return parcels(db, 'ORDER BY d.sequence DESC LIMIT ?', limit);
}

function parcels(db: DatabaseSync, rest: string, ...values: readonly number[]): readonly Parcel[] {
  const rows = db.prepare(`SELECT d.*, n.json FROM deliveries d JOIN notifications n ON n.id = d.notification ${rest}`).all(...values);
  return rows.flatMap((columns) => {
    const delivery = row.safeParse(columns);
    const notification = typeof columns['json'] === 'string' ? parseNotification(columns['json']) : null;
    return delivery.success && notification !== null ? [{ delivery: delivery.data, notification }] : [];
  });
}
