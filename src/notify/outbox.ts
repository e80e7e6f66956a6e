import type { Clock, EpochMs } from '../core/clock.ts';
import type { AlertJournal, Delivery, Parcel } from '../core/incident/journal.ts';
import type { Channel, RecipientOutcome } from './channel.ts';
import { GIVE_UP_AFTER, retryDelay } from './retry.ts';

export interface OutboxLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** One attempt, as metrics count it. */
export type DeliveryListener = (channel: Channel['id'], result: 'sent' | 'failed' | 'rejected', at: EpochMs) => void;

export interface OutboxDeps {
  readonly clock: Clock;
  readonly logger: OutboxLogger;
  readonly journal: AlertJournal;
  readonly onDelivery: DeliveryListener;
}

/**
 * Delivers what the journal holds. What is told was written before the first try, and each outcome is written after it: a
 * crash loses nothing, and repeats only what was accepted in the instant before its outcome was written.
 */
export interface Outbox {
  /** Delivers all that is due, once each. Channels do not wait for each other. Never rejects. */
  drain(signal: AbortSignal): Promise<void>;
}

export function createOutbox(channels: readonly Channel[], deps: OutboxDeps): Outbox {
  const running = new Map<Channel, Run>();

  function drainOne(channel: Channel, signal: AbortSignal): Promise<void> {
    const before = running.get(channel);
    if (before !== undefined) {
      // Never twice at a time, or a parcel would be sent twice; but it must look again, it may just have looked.
      before.again = true;
      return before.done;
    }
    const run: Run = { again: false, done: Promise.resolve() };
    running.set(channel, run);
    run.done = (async () => {
      try {
        do {
          run.again = false;
          await drainChannel(channel, deps, signal);
        } while (run.again);
      } finally {
        running.delete(channel);
      }
    })();
    return run.done;
  }

  return {
    async drain(signal) {
      rejectHomeless(channels, deps);
      await Promise.all(channels.map((channel) => drainOne(channel, signal)));
    },
  };
}

interface Run {
  again: boolean;
  done: Promise<void>;
}

/** Recipients that the configuration no longer names. */
function rejectHomeless(channels: readonly Channel[], { journal, clock }: OutboxDeps): void {
  const homeless = journal
    .pending()
    .filter(({ delivery }) => !channels.some(({ id, recipients }) => id === delivery.channel && recipients.includes(delivery.recipient)));
  if (homeless.length === 0) return;
  const now = clock.now();
  journal.update(
    homeless.map(({ delivery }) => ({ ...delivery, status: 'rejected', finishedAt: now, detail: 'No longer in the configuration' })),
  );
}

async function drainChannel(channel: Channel, deps: OutboxDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const batch = nextBatch(deps.journal.pending(), channel, deps.clock.now());
    if (batch.length === 0) return;
    await ship(channel, batch, deps, signal);
  }
}

/**
 * The oldest notification that is due, with those recipients for whom nothing older waits: nobody hears the end of an
 * incident before its beginning.
 */
function nextBatch(pending: readonly Parcel[], channel: Channel, now: EpochMs): readonly Parcel[] {
  const heads = new Map<string, Parcel>();
  for (const parcel of pending) {
    const { delivery } = parcel;
    const isOurs = delivery.channel === channel.id && channel.recipients.includes(delivery.recipient);
    if (isOurs && !heads.has(delivery.recipient)) heads.set(delivery.recipient, parcel);
  }
  const due = [...heads.values()].filter(({ delivery }) => isDue(delivery, now));
  const [first] = due;
  return first === undefined ? [] : due.filter(({ notification }) => notification.id === first.notification.id);
}

/** A wall clock that was set back must not put a delivery off by more than its own delay. */
function isDue({ nextAttemptAt, attempts }: Delivery, now: EpochMs): boolean {
  return now >= nextAttemptAt || nextAttemptAt - now > retryDelay(attempts);
}

async function ship(channel: Channel, batch: readonly Parcel[], deps: OutboxDeps, signal: AbortSignal): Promise<void> {
  const [first] = batch;
  if (first === undefined) return;
  const outcomes = await attempt(channel, batch, signal);
  // Stopped halfway: nobody knows what the peer made of it, and it is not the peer's fault.
  const known = signal.aborted ? outcomes.filter(({ kind }) => kind !== 'deferred') : outcomes;
  const now = deps.clock.now();
  deps.journal.update(
    batch.flatMap(({ delivery }) => {
      const outcome = known.find(({ recipient }) => recipient === delivery.recipient);
      return outcome === undefined ? [] : [settled(delivery, outcome, now)];
    }),
  );
  for (const outcome of known) tell(channel, first, outcome, deps);
}

async function attempt(channel: Channel, batch: readonly Parcel[], signal: AbortSignal): Promise<readonly RecipientOutcome[]> {
  const [first] = batch;
  if (first === undefined) return [];
  const failures = batch.flatMap(({ delivery }) => delivery.firstFailedAt ?? []);
  const recipients = batch.map(({ delivery }) => delivery.recipient);
  try {
    return await channel.deliver(
      { notification: first.notification, recipients, firstFailedAt: failures.length === 0 ? null : Math.min(...failures) },
      signal,
    );
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'unknown error';
    return recipients.map((recipient) => ({ recipient, kind: 'deferred', detail }));
  }
}

function settled(delivery: Delivery, outcome: RecipientOutcome, now: EpochMs): Delivery {
  const tried = { ...delivery, attempts: delivery.attempts + 1, detail: outcome.detail };
  switch (outcome.kind) {
    case 'sent':
    case 'rejected':
      return { ...tried, status: outcome.kind, finishedAt: now };
    case 'deferred': {
      const failed = { ...tried, firstFailedAt: delivery.firstFailedAt ?? now };
      if (now - delivery.createdAt > GIVE_UP_AFTER) return { ...failed, status: 'expired', finishedAt: now };
      return { ...failed, nextAttemptAt: now + retryDelay(tried.attempts) };
    }
  }
}

function tell(channel: Channel, { notification }: Parcel, outcome: RecipientOutcome, { logger, onDelivery, clock }: OutboxDeps): void {
  const fields = { channel: channel.id, notification: notification.id, recipient: outcome.recipient, detail: outcome.detail };
  switch (outcome.kind) {
    case 'sent':
      logger.info(fields, 'Delivered a notification');
      break;
    case 'deferred':
      logger.warn(fields, 'Cannot deliver a notification now: it is tried again');
      break;
    case 'rejected':
      logger.warn(fields, 'A notification was refused for good');
      break;
  }
  onDelivery(channel.id, outcome.kind === 'deferred' ? 'failed' : outcome.kind, clock.now());
}
