import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import {
  isGivenUp,
  type AlertJournal,
  type Delivery,
  type DeliveryResult,
  type OutboxEntry,
  incidentsOf,
  type Incident,
  type IncidentState,
  type Notification,
} from '../engine/incident/incident.ts';
import { withLaterOpen } from '../engine/incident/announce.ts';
import type { IncidentEffect } from '../engine/incident/round-view.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { type MessageChannel, orDeferred, type RecipientOutcome } from './channels/channel.ts';
import { compareSeverity, type Severity } from '../core/severity.ts';

/** The longest pause that a service can request with `Retry-After`. */
const LONGEST: Millis = 15 * 60_000;

function pauseOf(retryAfter: Millis): Millis {
  return Math.min(LONGEST, retryAfter);
}

const FIRST: Millis = 5_000;
const LONGEST_DELAY: Millis = 5 * 60_000;

/** Mail servers also give up after five days (RFC 5321 §4.5.4.1). */
const GIVE_UP_AFTER: Millis = 5 * 86_400_000;

function retryDelay(attempts: number): Millis {
  return Math.min(LONGEST_DELAY, FIRST * 2 ** Math.max(0, attempts - 1));
}

export interface OutboxDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  readonly journal: AlertJournal;
  readonly onDelivery: (channel: string, result: DeliveryResult, at: EpochMs) => void;
}

function outboxEntriesOf(
  notification: Notification,
  channels: readonly MessageChannel[],
  now: EpochMs,
): readonly OutboxEntry[] {
  const wanted = channels.filter(({ minSeverity }) => bySeverity(notification, minSeverity) !== null);
  return wanted.flatMap(({ id, recipients }) =>
    recipients.map(
      (recipient): OutboxEntry => ({
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

function changedIncidents(state: IncidentState, effects: readonly IncidentEffect[]): readonly Incident[] {
  const changed = effects.flatMap((effect) =>
    effect.kind === 'transition' ? [effect.incident] : incidentsOf(effect.notification),
  );
  const ids = new Set(changed.map(({ id }) => id));
  return state.incidents.filter(({ id }) => ids.has(id));
}

interface Run {
  again: boolean;
  done: Promise<void>;
}

/**
 * Delivers the notifications that are stored in the journal. Each notification is stored before its first attempt, and
 * each outcome immediately after the attempt. After a crash, no notification is lost, and only deliveries without a
 * stored outcome are repeated. Channels do not wait for each other.
 */
export class Outbox {
  readonly #channels: readonly MessageChannel[];
  readonly #deps: OutboxDeps;
  readonly #signal: AbortSignal;
  readonly #running = new Map<MessageChannel, Run>();
  /** The end of each requested pause. A pause applies to all messages for the recipient. */
  readonly #pausedUntil = new Map<string, Millis>();
  #incidents: readonly Incident[] = [];

  /** @param signal aborts all attempts and prevents new ones */
  constructor(channels: readonly MessageChannel[], deps: OutboxDeps, signal: AbortSignal) {
    this.#channels = channels;
    this.#deps = deps;
    this.#signal = signal;
  }

  /** Stores the new state with the resulting notifications. Must be called before these notifications are sent. */
  record(state: IncidentState, effects: readonly IncidentEffect[]): void {
    const { journal, clock } = this.#deps;
    this.#incidents = state.incidents;
    journal.record({
      state,
      incidents: changedIncidents(state, effects),
      outboxEntries: effects.flatMap((effect) =>
        effect.kind === 'notify' ? outboxEntriesOf(effect.notification, this.#channels, clock.now()) : [],
      ),
    });
  }

  /**
   * Returns the number of pending deliveries.
   * @param held incidents held back by the hourly limit, counted once per recipient
   */
  pending(channel: string, held: readonly Incident[]): number {
    const undelivered = this.#deps.journal.pending().filter(({ delivery }) => delivery.channel === channel);
    const awaitingDigest = this.#channels
      .filter(({ id }) => id === channel)
      .map(
        ({ recipients, minSeverity }) =>
          recipients.length * held.filter((incident) => isSevereEnough(incident, minSeverity)).length,
      );
    return awaitingDigest.reduce((sum, count) => sum + count, undelivered.length);
  }

  /** Attempts each due delivery once. Never rejects. */
  async deliver(): Promise<void> {
    this.#withdrawOrphaned();
    await Promise.all(this.#channels.map((channel) => this.#drainOne(channel)));
  }

  #drainOne(channel: MessageChannel): Promise<void> {
    const before = this.#running.get(channel);
    if (before !== undefined) {
      // Two concurrent runs would send an entry twice. Instead, the current run starts over, because this entry may
      // have been added after the run's last check.
      before.again = true;
      return before.done;
    }
    const run: Run = { again: false, done: Promise.resolve() };
    this.#running.set(channel, run);
    run.done = (async () => {
      try {
        do {
          run.again = false;
          await this.#drainChannel(channel);
        } while (run.again);
      } finally {
        this.#running.delete(channel);
      }
    })();
    return run.done;
  }

  async #drainChannel(channel: MessageChannel): Promise<void> {
    while (!this.#signal.aborted) {
      const recipients = channel.recipients.filter((recipient) => !this.#isPaused(channel.id, recipient));
      const isFree = (delivery: Delivery): boolean =>
        delivery.channel === channel.id && recipients.includes(delivery.recipient);
      const batch = nextBatch(this.#deps.journal, isFree, this.#deps.clock.now());
      if (batch.length === 0) return;
      const outcomes = await tryOnce(channel, batch, this.#incidents, this.#signal);
      this.#notePauses(channel.id, outcomes);
      noteOutcomes(batch, outcomes, this.#deps, this.#signal);
    }
  }

  #isPaused(channel: string, recipient: string): boolean {
    return this.#deps.clock.elapsed() < (this.#pausedUntil.get(JSON.stringify([channel, recipient])) ?? 0);
  }

  #notePauses(channel: string, outcomes: readonly RecipientOutcome[]): void {
    for (const { recipient, retryAfter } of outcomes) {
      const key = JSON.stringify([channel, recipient]);
      if (retryAfter === undefined) this.#pausedUntil.delete(key);
      else this.#pausedUntil.set(key, this.#deps.clock.elapsed() + pauseOf(retryAfter));
    }
  }

  #withdrawOrphaned(): void {
    const { journal, clock } = this.#deps;
    const orphaned = [...journal.givenUp(), ...journal.pending()].filter(
      ({ delivery }) =>
        !this.#channels.some(
          ({ id, recipients }) => id === delivery.channel && recipients.includes(delivery.recipient),
        ),
    );
    if (orphaned.length === 0) return;
    const finishedAt = clock.now();
    const detail = 'The recipient is no longer configured';
    journal.update(orphaned.map(({ delivery }) => ({ ...delivery, status: 'withdrawn', finishedAt, detail })));
  }
}

function noteOutcomes(
  batch: readonly OutboxEntry[],
  outcomes: readonly RecipientOutcome[],
  deps: OutboxDeps,
  { aborted }: AbortSignal,
): void {
  const now = deps.clock.now();
  const tried = batch.flatMap(({ delivery, notification }): readonly OutboxEntry[] => {
    const outcome = outcomes.find(({ recipient }) => recipient === delivery.recipient) ?? NO_OUTCOME;
    // After an abort, it is unknown whether the recipient accepted the message, so the attempt does not count as
    // failed.
    if (aborted && outcome.kind === 'deferred') return [];
    return [{ delivery: afterAttempt(delivery, outcome, now), notification }];
  });
  deps.journal.update([...withdrawn(tried, deps.journal, now), ...tried.map(({ delivery }) => delivery)]);
  for (const entry of tried) noteResult(entry, deps);
}

/** Returns abandoned deliveries to the same recipient whose incidents are all included in the new deliveries. */
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
  const reported = new Set(incidentsOf(later.notification).map(({ id }) => id));
  return incidentsOf(earlier.notification).every(({ id }) => reported.has(id));
}

async function tryOnce(
  channel: MessageChannel,
  batch: readonly OutboxEntry[],
  incidents: readonly Incident[],
  signal: AbortSignal,
): Promise<readonly RecipientOutcome[]> {
  const [first] = batch;
  if (first === undefined) return [];
  // The minimum severity may have been raised since the entry was stored, but the entry's recipients still receive the
  // notification.
  const wanted = bySeverity(first.notification, channel.minSeverity) ?? first.notification;
  const notification = withLaterOpen(wanted, incidents);
  const failures = batch.flatMap(({ delivery }) => delivery.firstFailedAt ?? []);
  const firstFailedAt = failures.length === 0 ? null : Math.min(...failures);
  const recipients = batch.map(({ delivery }) => delivery.recipient);
  return orDeferred(recipients, () => channel.deliver({ notification, recipients, firstFailedAt }, signal));
}

/**
 * Used for a recipient whose outcome the channel did not report. Without an outcome, the delivery would be retried
 * immediately.
 */
const NO_OUTCOME = { kind: 'deferred', detail: 'The channel reported no outcome' } as const;

function afterAttempt(delivery: Delivery, outcome: Omit<RecipientOutcome, 'recipient'>, now: EpochMs): Delivery {
  const attempts = delivery.attempts + 1;
  const tried = { ...delivery, attempts, detail: outcome.detail };
  if (outcome.kind === 'sent') return { ...tried, status: 'sent', finishedAt: now };
  const wait = Math.max(retryDelay(attempts), pauseOf(outcome.retryAfter ?? 0));
  const failed = { ...tried, firstFailedAt: delivery.firstFailedAt ?? now, nextAttemptAt: now + wait };
  // An abandoned delivery stays abandoned until the recipient accepts the message.
  if (isGivenUp(delivery)) return failed;
  if (outcome.kind === 'rejected') return { ...failed, status: 'rejected', finishedAt: now };
  return now - delivery.createdAt > GIVE_UP_AFTER ? { ...failed, status: 'expired', finishedAt: now } : failed;
}

function noteResult({ delivery, notification }: OutboxEntry, { logger, onDelivery, journal, clock }: OutboxDeps): void {
  const { channel, recipient, status, detail } = delivery;
  const fields = { channel, notification: notification.id, recipient, detail };
  const more = journal.givenUp().some((entry) => entry.delivery === delivery)
    ? ' unless its incident is still open'
    : '';
  switch (status) {
    case 'sent':
      logger.info({ event: 'notification-delivered', ...fields }, 'Delivered a notification');
      break;
    case 'pending':
      logger.warn(
        { event: 'notification-deferred', ...fields },
        'Cannot deliver a notification now. ftm-watch will retry',
      );
      break;
    case 'rejected':
      logger.warn(
        { event: 'notification-rejected', ...fields },
        `A notification was rejected. It will not be sent again${more}`,
      );
      break;
    case 'expired':
      logger.warn(
        { event: 'notification-expired', ...fields },
        `A notification was not accepted for five days. It will not be sent again${more}`,
      );
      break;
    case 'withdrawn':
      break;
  }
  if (status !== 'withdrawn') onDelivery(channel, status === 'pending' ? 'failed' : status, clock.now());
}

/**
 * Returns one notification and all recipients for whom it is due. New notifications come first, so that they do not
 * wait behind a long queue of failed ones.
 */
function nextBatch(
  journal: AlertJournal,
  isFree: (delivery: Delivery) => boolean,
  now: EpochMs,
): readonly OutboxEntry[] {
  // Running deliveries are included in the order, so that later messages wait for them.
  const due = [...journal.givenUp(), ...inOrder(journal.pending())]
    .filter(({ delivery }) => isFree(delivery) && isDue(delivery, now))
    .toSorted((a, b) => a.delivery.attempts - b.delivery.attempts);
  const [first] = due;
  return first === undefined ? [] : due.filter(({ notification }) => notification.id === first.notification.id);
}

/**
 * A delivery waits if an older message about the same incident or fault is pending for the same recipient. Otherwise,
 * an all-clear could arrive after the message that the fault has returned. A digest is sent as soon as one of its
 * incidents does not have to wait.
 */
function inOrder(pending: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const waiting = new Set<string>();
  return pending.filter(({ delivery: { channel, recipient }, notification }) => {
    const keys = incidentsOf(notification).map(({ id, cause: { precondition, subject } }) =>
      [[id], [precondition, subject]].map((about) => JSON.stringify([channel, recipient, about])),
    );
    const isFree = keys.length === 0 || keys.some((own) => own.every((key) => !waiting.has(key)));
    for (const key of keys.flat()) waiting.add(key);
    return isFree;
  });
}

/** Even if the clock was set back, the delivery waits no longer than its retry delay. */
function isDue({ nextAttemptAt, attempts }: Delivery, now: EpochMs): boolean {
  return now >= nextAttemptAt || nextAttemptAt - now > retryDelay(attempts);
}

/** Returns the part of a notification with at least this severity, or null. Test messages are always returned. */
export function bySeverity(notification: Notification, least: Severity): Notification | null {
  switch (notification.kind) {
    case 'incident':
      return isSevereEnough(notification.incident, least) ? notification : null;
    case 'digest': {
      const items = notification.items.filter(({ incident }) => isSevereEnough(incident, least));
      if (items.length === notification.items.length) return notification;
      if (items.length === 0) return null;
      // Of the open and of the resolved incidents, the least severe were omitted. If a listed one is not severe enough,
      // neither are the omitted ones.
      const isComplete = (status: Incident['status']): boolean =>
        notification.items.every((item) => item.incident.status !== status || items.includes(item));
      const omittedOpen = isComplete('open') ? notification.omittedOpen : 0;
      const omittedResolved = isComplete('closed') ? notification.omitted - notification.omittedOpen : 0;
      return { ...notification, items, omitted: omittedOpen + omittedResolved, omittedOpen };
    }
    case 'note':
      // A note about a restart counts as a warning, and a summary is no more severe.
      return least === 'critical' ? null : notification;
    case 'test':
      return notification;
  }
}

/** Recipients of the first message also receive all later ones, even if the severity has fallen. */
function isSevereEnough({ cause, lastNotified }: Incident, least: Severity): boolean {
  const severities = [cause, ...(lastNotified?.named ?? [])].map(({ severity }) => severity);
  return severities.some((severity) => compareSeverity(severity, least) <= 0);
}
