import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import {
  deliveryKey,
  isGivenUp,
  type AlertJournal,
  type Delivery,
  type DeliveryResult,
  type OutboxEntry,
  incidentsOf,
  type Incident,
  type Notification,
} from '../engine/incident/incident.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { type MessageChannel, orDeferred, type RecipientOutcome, type StateChannel } from './channels/channel.ts';
import { compareSeverity, type Severity } from '../core/severity.ts';
import { byChannel, type ChannelId } from './channels/registry.ts';

/** An alert must not wait for longer than this because a service says so. */
const LONGEST: Millis = 15 * 60_000;

/** As long as was asked for, within bounds. */
function pauseOf(retryAfter: Millis): Millis {
  return Math.min(LONGEST, retryAfter);
}

const FIRST: Millis = 5_000;
const LONGEST_DELAY: Millis = 5 * 60_000;

/** Mail servers give up after five days (RFC 5321 §4.5.4.1); nobody acts on an alert that old. */
const GIVE_UP_AFTER: Millis = 5 * 86_400_000;

/** How long to wait after so many failures in a row: twice as long each time, five minutes at most. */
function retryDelay(attempts: number): Millis {
  return Math.min(LONGEST_DELAY, FIRST * 2 ** Math.min(Math.max(0, attempts - 1), 20));
}

export interface OutboxDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  readonly journal: AlertJournal;
  /** One try of one delivery: `ftm_notifications_total` and the time of the last success. */
  readonly onDelivery: (channel: string, result: DeliveryResult, at: EpochMs) => void;
}

/** One notification on its way to the recipients of one channel. */
export interface Attempt {
  readonly channel: string;
  readonly batch: readonly OutboxEntry[];
  /** Never rejects. */
  readonly outcomes: Promise<readonly RecipientOutcome[]>;
  /** Breaks it off: then nobody knows what the peer made of it. */
  readonly controller: AbortController;
}

interface Run {
  again: boolean;
  done: Promise<void>;
}

/**
 * Delivers what the journal holds. A notification was written before its first attempt, and each outcome is written
 * right after it: a crash loses nothing, and repeats only what was accepted in the instant before its outcome was
 * written. Channels do not wait for each other.
 */
export class Outbox {
  readonly #channels: readonly MessageChannel[];
  readonly #deps: OutboxDeps;
  readonly #signal: AbortSignal;
  readonly #running = new Map<MessageChannel, Run>();
  /** Until when nothing is sent to a recipient that asked for a pause (`Retry-After`), whatever it tells. */
  readonly #pausedUntil = new Map<string, Millis>();
  /** Those under way, each with what ends the wait for its outcomes. */
  readonly #attempts = new Map<Attempt, () => void>();
  readonly #takenOver = new Set<Promise<void>>();
  #isHandedOver = false;

  /** @param signal breaks all attempts off, and begins no more */
  constructor(channels: readonly MessageChannel[], deps: OutboxDeps, signal: AbortSignal) {
    this.#channels = channels;
    this.#deps = deps;
    this.#signal = signal;
    const breakOff = (): void => {
      for (const { controller } of this.#attempts.keys()) controller.abort(signal.reason);
    };
    signal.addEventListener('abort', breakOff, { once: true });
  }

  /** Delivers all that is due, once each. Never rejects. */
  async deliver(): Promise<void> {
    if (this.#isHandedOver) return;
    this.#withdrawOrphaned();
    await Promise.all([...this.#channels.map((channel) => this.#drainOne(channel)), ...this.#takenOver]);
  }

  /** Takes over the attempts of another outbox with the same journal, and writes their outcomes. */
  takeOver(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const underWay = this.#settled(attempt).finally(() => this.#takenOver.delete(underWay));
      this.#takenOver.add(underWay);
    }
  }

  /** Begins nothing more, and gives away the attempts under way, whose outcomes it does not write. */
  handOver(): readonly Attempt[] {
    this.#isHandedOver = true;
    const underWay = [...this.#attempts];
    this.#attempts.clear();
    for (const [, give] of underWay) give();
    return underWay.map(([attempt]) => attempt);
  }

  #drainOne(channel: MessageChannel): Promise<void> {
    const before = this.#running.get(channel);
    if (before !== undefined) {
      // Never twice at a time, or an entry would be sent twice; but it must look again, it may just have looked.
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
    while (!this.#signal.aborted && !this.#isHandedOver) {
      const recipients = channel.recipients.filter((recipient) => !this.#isPaused(channel.id, recipient));
      const isFree = (delivery: Delivery): boolean =>
        delivery.channel === channel.id && recipients.includes(delivery.recipient) && !this.#isUnderWay(delivery);
      const batch = nextBatch(this.#deps.journal, isFree, this.#deps.clock.now());
      if (batch.length === 0) return;
      const controller = new AbortController();
      const outcomes = tryOnce(channel, batch, controller.signal);
      await this.#settled({ channel: channel.id, batch, outcomes, controller });
    }
  }

  /** Waits for an attempt and writes its outcomes, unless it is handed over meanwhile. */
  async #settled(attempt: Attempt): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<readonly RecipientOutcome[] | null>();
    this.#attempts.set(attempt, () => resolve(null));
    void attempt.outcomes.then(resolve);
    const outcomes = await promise;
    if (outcomes === null || !this.#attempts.delete(attempt)) return;
    this.#notePauses(attempt.channel, outcomes);
    noteOutcomes(attempt, outcomes, this.#deps);
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

  #isUnderWay(delivery: Delivery): boolean {
    const key = deliveryKey(delivery);
    return [...this.#attempts.keys()].some(({ batch }) => batch.some((entry) => deliveryKey(entry.delivery) === key));
  }

  /** Recipients that the configuration no longer names. */
  #withdrawOrphaned(): void {
    const { journal, clock } = this.#deps;
    const orphaned = [...journal.givenUp(), ...journal.pending()].filter(
      ({ delivery }) =>
        !this.#isUnderWay(delivery) &&
        !this.#channels.some(
          ({ id, recipients }) => id === delivery.channel && recipients.includes(delivery.recipient),
        ),
    );
    if (orphaned.length === 0) return;
    const finishedAt = clock.now();
    const detail = 'No longer in the configuration';
    journal.update(orphaned.map(({ delivery }) => ({ ...delivery, status: 'withdrawn', finishedAt, detail })));
  }
}

function noteOutcomes({ batch, controller }: Attempt, outcomes: readonly RecipientOutcome[], deps: OutboxDeps): void {
  const now = deps.clock.now();
  const tried = batch.flatMap(({ delivery, notification }): readonly OutboxEntry[] => {
    const outcome = outcomes.find(({ recipient }) => recipient === delivery.recipient) ?? NO_OUTCOME;
    // Stopped halfway: nobody knows what the peer made of it, and it is not the peer's fault.
    if (controller.signal.aborted && outcome.kind === 'deferred') return [];
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

async function tryOnce(
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
  return orDeferred(recipients, () => channel.deliver({ notification, recipients, firstFailedAt }, signal));
}

/** A channel must report an outcome for each recipient: without one, the delivery would be due again immediately. */
const NO_OUTCOME = { kind: 'deferred', detail: 'The channel reported no outcome' } as const;

function afterAttempt(delivery: Delivery, outcome: Omit<RecipientOutcome, 'recipient'>, now: EpochMs): Delivery {
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

/**
 * What is to be tried next: one notification that is due, with all its recipients that it is due for. What was never
 * tried comes first, so that nothing new waits for a long queue of what a server puts off.
 */
function nextBatch(
  journal: AlertJournal,
  isFree: (delivery: Delivery) => boolean,
  now: EpochMs,
): readonly OutboxEntry[] {
  // What is under way keeps its place in the order.
  const due = [...journal.givenUp(), ...inOrder(journal.pending())]
    .filter(({ delivery }) => isFree(delivery) && isDue(delivery, now))
    .toSorted((a, b) => a.delivery.attempts - b.delivery.attempts);
  const [first] = due;
  return first === undefined ? [] : due.filter(({ notification }) => notification.id === first.notification.id);
}

/**
 * Those that wait for nothing older about the same incident that is still on its way to the same recipient.
 * A digest goes when one of its incidents waits for nothing.
 */
function inOrder(pending: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const waiting = new Set<string>();
  return pending.filter(({ delivery, notification }) => {
    const keys = incidentsOf(notification).map(({ id }) => JSON.stringify([delivery.channel, delivery.recipient, id]));
    const isFree = keys.length === 0 || keys.some((key) => !waiting.has(key));
    for (const key of keys) waiting.add(key);
    return isFree;
  });
}

/** A wall clock that was set back must not put a delivery off by more than its own delay. */
function isDue({ nextAttemptAt, attempts }: Delivery, now: EpochMs): boolean {
  return now >= nextAttemptAt || nextAttemptAt - now > retryDelay(attempts);
}

/**
 * What of a notification is told to those who want nothing less grave than `least`; null: nothing. A test is told to
 * everybody.
 */
export function bySeverity(notification: Notification, least: Severity): Notification | null {
  switch (notification.kind) {
    case 'incident':
      return isGraveEnough(notification.incident, least) ? notification : null;
    case 'digest': {
      const items = notification.items.filter(({ incident }) => isGraveEnough(incident, least));
      if (items.length === notification.items.length) return notification;
      // The gravest come first: what did not fit in is no graver than what is left out.
      return items.length === 0 ? null : { ...notification, items, omitted: 0 };
    }
    case 'note':
      // A restart is as grave as a warning, and a summary is not graver.
      return least === 'critical' ? null : notification;
    case 'test':
      return notification;
  }
}

/** As grave as it was ever named: whoever heard of the beginning hears how it goes on, and of the end. */
function isGraveEnough({ cause, lastNotified }: Incident, least: Severity): boolean {
  const severities = [cause, ...(lastNotified?.named ?? [])].map(({ severity }) => severity);
  return severities.some((severity) => compareSeverity(severity, least) <= 0);
}

interface Waiting {
  readonly messages: readonly MessageChannel[];
  readonly states: readonly StateChannel[];
  readonly outboxEntries: readonly OutboxEntry[];
  /** What the hourly limit holds back: it waits for each way that it will go. */
  readonly held: readonly Incident[];
}

/**
 * Deliveries that wait, by channel, and what the hourly limit holds back; of a channel that is told a state, the
 * recipients that did not take the last message and have to hear something.
 */
export function pendingByChannel({
  messages,
  states,
  outboxEntries,
  held,
}: Waiting): Readonly<Record<ChannelId, number>> {
  return byChannel((channel) => {
    const waiting = states.filter(({ id }) => id === channel).map((state) => state.waiting());
    const awaitingDigest = messages
      .filter(({ id }) => id === channel)
      .map(({ recipients, minSeverity }) => {
        const wanted = held.filter((incident) => isGraveEnough(incident, minSeverity));
        return wanted.length * recipients.length;
      });
    const undelivered = outboxEntries.filter(({ delivery }) => delivery.channel === channel);
    return [...waiting, ...awaitingDigest].reduce((sum, count) => sum + count, undelivered.length);
  });
}
