import type { Clock, EpochMs } from '../core/clock.ts';
import { isGivenUp } from '../engine/incident/journal.ts';
import type { AlertJournal, Delivery, DeliveryResult, OutboxEntry } from '../engine/incident/journal.ts';
import { incidentsOf } from '../engine/incident/notification.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { type MessageChannel, orDeferred, type RecipientOutcome } from './channels/channel.ts';
import { bySeverity } from './by-severity.ts';
import { nextBatch } from './next-batch.ts';
import { createRecipientPauses, pauseOf, type RecipientPauses } from './recipient-pauses.ts';
import { GIVE_UP_AFTER, retryDelay } from './retry.ts';

export interface OutboxDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  readonly journal: AlertJournal;
  /** One try of one delivery: `ftm_notifications_total` and the time of the last success. */
  readonly onDelivery: (channel: string, result: DeliveryResult, at: EpochMs) => void;
}

/**
 * Delivers what the journal holds. What is told was written before the first try, and each outcome is written after it:
 * a crash loses nothing, and repeats only what was accepted in the instant before its outcome was written. Each call
 * delivers all that is due, once each. Channels do not wait for each other. Never rejects.
 */
export type Outbox = (signal: AbortSignal) => Promise<void>;

export function createOutbox(channels: readonly MessageChannel[], deps: OutboxDeps): Outbox {
  const running = new Map<MessageChannel, Run>();
  const pauses = createRecipientPauses(deps.clock);

  function drainOne(channel: MessageChannel, signal: AbortSignal): Promise<void> {
    const before = running.get(channel);
    if (before !== undefined) {
      // Never twice at a time, or an entry would be sent twice; but it must look again, it may just have looked.
      before.again = true;
      return before.done;
    }
    const run: Run = { again: false, done: Promise.resolve() };
    running.set(channel, run);
    run.done = (async () => {
      try {
        do {
          run.again = false;
          await drainChannel(channel, { ...deps, pauses }, signal);
        } while (run.again);
      } finally {
        running.delete(channel);
      }
    })();
    return run.done;
  }

  return async (signal) => {
    withdrawOrphaned(channels, deps);
    await Promise.all(channels.map((channel) => drainOne(channel, signal)));
  };
}

interface Run {
  again: boolean;
  done: Promise<void>;
}

/** Recipients that the configuration no longer names. */
function withdrawOrphaned(channels: readonly MessageChannel[], { journal, clock }: OutboxDeps): void {
  const orphaned = [...journal.givenUp(), ...journal.pending()].filter(
    ({ delivery }) =>
      !channels.some(({ id, recipients }) => id === delivery.channel && recipients.includes(delivery.recipient)),
  );
  if (orphaned.length === 0) return;
  const now = clock.now();
  journal.update(
    orphaned.map(({ delivery }) => ({
      ...delivery,
      status: 'withdrawn',
      finishedAt: now,
      detail: 'No longer in the configuration',
    })),
  );
}

interface DrainDeps extends OutboxDeps {
  readonly pauses: RecipientPauses;
}

async function drainChannel(channel: MessageChannel, deps: DrainDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const recipients = channel.recipients.filter((recipient) => !deps.pauses.isPaused(channel.id, recipient));
    const batch = nextBatch(deps.journal, { id: channel.id, recipients }, deps.clock.now());
    if (batch.length === 0) return;
    await deliverBatch(channel, batch, deps, signal);
  }
}

async function deliverBatch(
  channel: MessageChannel,
  batch: readonly OutboxEntry[],
  deps: DrainDeps,
  signal: AbortSignal,
): Promise<void> {
  const outcomes = await attempt(channel, batch, signal);
  deps.pauses.note(channel.id, outcomes);
  const now = deps.clock.now();
  const tried = batch.flatMap(({ delivery, notification }): readonly OutboxEntry[] => {
    const outcome = outcomes.find(({ recipient }) => recipient === delivery.recipient);
    // Stopped halfway: nobody knows what the peer made of it, and it is not the peer's fault.
    if (outcome === undefined || (signal.aborted && outcome.kind === 'deferred')) return [];
    return [{ delivery: afterAttempt(delivery, outcome, now), notification }];
  });
  deps.journal.update([...withdrawn(tried, deps.journal, now), ...tried.map(({ delivery }) => delivery)]);
  for (const entry of tried) noteResult(entry, deps);
}

/** What was given up earlier to the same recipients, and says nothing that the new one does not say. */
function withdrawn(tried: readonly OutboxEntry[], journal: AlertJournal, now: EpochMs): readonly Delivery[] {
  const done = tried.filter(({ delivery }) => delivery.status !== 'pending');
  return journal
    .givenUp()
    .filter((earlier) => done.some((later) => supersedes(later, earlier)))
    .map(({ delivery }) => ({ ...delivery, status: 'withdrawn', finishedAt: now }));
}

function supersedes(later: OutboxEntry, earlier: OutboxEntry): boolean {
  if (later.delivery.channel !== earlier.delivery.channel || later.delivery.recipient !== earlier.delivery.recipient)
    return false;
  if (later.notification.id === earlier.notification.id || later.notification.at < earlier.notification.at)
    return false;
  const told = new Set(incidentsOf(later.notification).map(({ id }) => id));
  return incidentsOf(earlier.notification).every(({ id }) => told.has(id));
}

async function attempt(
  channel: MessageChannel,
  batch: readonly OutboxEntry[],
  signal: AbortSignal,
): Promise<readonly RecipientOutcome[]> {
  const [first] = batch;
  if (first === undefined) return [];
  // Whom it was written down for is told, also when the configuration asks for less since.
  const notification = bySeverity(first.notification, channel.minSeverity) ?? first.notification;
  const failures = batch.flatMap(({ delivery }) => delivery.firstFailedAt ?? []);
  const firstFailedAt = failures.length === 0 ? null : Math.min(...failures);
  const recipients = batch.map(({ delivery }) => delivery.recipient);
  const outcomes = await orDeferred(recipients, () =>
    channel.deliver({ notification, recipients, firstFailedAt }, signal),
  );
  // Without an outcome it would be due again at once, and for ever.
  return recipients.map(
    (recipient) =>
      outcomes.find((outcome) => outcome.recipient === recipient) ?? {
        recipient,
        kind: 'deferred',
        detail: 'The channel reported no outcome',
      },
  );
}

function afterAttempt(delivery: Delivery, outcome: RecipientOutcome, now: EpochMs): Delivery {
  const attempts = delivery.attempts + 1;
  const tried = { ...delivery, attempts, detail: outcome.detail };
  if (outcome.kind === 'sent') return { ...tried, status: 'sent', finishedAt: now };
  const wait = Math.max(retryDelay(attempts), pauseOf(outcome.retryAfter ?? 0));
  const failed = { ...tried, firstFailedAt: delivery.firstFailedAt ?? now, nextAttemptAt: now + wait };
  // What was given up stays so until it is accepted.
  if (isGivenUp(delivery)) return failed;
  if (outcome.kind === 'rejected') return { ...failed, status: 'rejected', finishedAt: now };
  return now - delivery.createdAt > GIVE_UP_AFTER ? { ...failed, status: 'expired', finishedAt: now } : failed;
}

function noteResult({ delivery, notification }: OutboxEntry, { logger, onDelivery, journal, clock }: OutboxDeps): void {
  const { channel, recipient, status, detail } = delivery;
  const fields = { channel, notification: notification.id, recipient, detail };
  const more = journal.givenUp().some((entry) => entry.delivery === delivery)
    ? ', unless it is taken while its incident is open'
    : '';
  switch (status) {
    case 'sent':
      logger.info(fields, 'Delivered a notification');
      break;
    case 'pending':
      logger.warn(fields, 'Cannot deliver a notification now: it is tried again');
      break;
    case 'rejected':
      logger.warn(fields, `A notification was refused: given up${more}`);
      break;
    case 'expired':
      logger.warn(fields, `Nobody took a notification for five days: given up${more}`);
      break;
    case 'withdrawn':
      break;
  }
  if (status !== 'withdrawn') onDelivery(channel, status === 'pending' ? 'failed' : status, clock.now());
}
