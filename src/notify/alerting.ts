import { beat, deadline } from '../system/clock.ts';
import type { SecretReader } from '../system/secret.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/model.ts';
import { heldIn } from '../engine/incident/announce.ts';
import {
  type Incident,
  type IncidentState,
  type Silence,
  EMPTY_STATE,
  isUnverified,
  type Delivery,
  type IncidentPolicy,
  INCIDENT_DEFAULTS,
} from '../engine/incident/incident.ts';
import {
  type IncidentEffect,
  type IncidentInput,
  type PartlyFresh,
  type Looks,
  withLook,
} from '../engine/incident/round-view.ts';
import { next } from '../engine/incident/machine.ts';
import {
  type Channel,
  type ChannelState,
  type MessageChannel,
  type StateChannel,
  orDeferred,
  type RecipientOutcome,
} from './channels/channel.ts';
import { channelWords, type ChannelId, CHANNELS } from './channels/registry.ts';
import { journalEntry, takenUp, randomName, type SummaryFacts, dueSummary } from './notes.ts';
import { type Maintenance, createMaintenance } from './maintenance.ts';
import { type Attempt, Outbox, type OutboxDeps, pendingByChannel } from './outbox.ts';
import { type Crontab, readCrontab } from '../text/crontab.ts';
import { CHECKS } from '../checks/registry.ts';
import type { Config, NotifyConfig } from '../config/config.ts';
import { hasChannel } from './channels/registry.ts';
import type { MessageContext } from '../document/notification.ts';

interface AlertingDeps extends OutboxDeps {
  /** What a summary of the time between tells. */
  readonly summaryFacts: (from: EpochMs, until: EpochMs) => SummaryFacts;
  readonly readSecret: SecretReader;
  readonly env: NodeJS.ProcessEnv;
}

/** The parts that alerting is made of: a test may put others in. */
export interface AlertingParts {
  readonly channels: readonly Channel[];
  readonly maintenance: Pick<Maintenance, 'isActive'>;
  readonly policy: IncidentPolicy;
  /** Of the site. */
  readonly timezone: string;
  /** When a summary is due; null: none is wanted. */
  readonly summary: Crontab | null;
}

/** Reminders, digests, retries and Alertmanager's messages are at most this late. */
const TICK: Millis = 2_000;
/** As many ticks that were not heard are no accident any more. */
const LOST_TICKS = 5;
const STOP_DEADLINE: Millis = 10_000;

/** From diagnoses to incidents, and from incidents to people. */
export class Alerting {
  readonly #parts: AlertingParts;
  readonly #deps: AlertingDeps;
  readonly #messages: readonly MessageChannel[];
  readonly #states: readonly StateChannel[];
  readonly #outbox: Outbox;
  readonly #publishers: readonly StatePublisher[];
  readonly #stopped = new AbortController();
  #state: IncidentState = EMPTY_STATE;
  #looks: Looks = new Map();
  #cancelTick: (() => void) | null = null;
  #tickedAt: Millis | null = null;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: AlertingParts, deps: AlertingDeps) {
    this.#parts = parts;
    this.#deps = deps;
    this.#messages = parts.channels.filter((channel) => channel.kind === 'messages');
    this.#states = parts.channels.filter((channel) => channel.kind === 'state');
    this.#outbox = new Outbox(this.#messages, deps, this.#stopped.signal);
    this.#publishers = this.#states.map((channel) => createStatePublisher(channel, deps));
  }

  /**
   * Continues where the last process ended, and tells where that was not asked to.
   * @param lastRound that the history has
   * @param underWay deliveries that the alerting before this one handed over
   */
  start(lastRound: EpochMs | null = null, underWay: readonly Attempt[] = []): void {
    const { clock, journal } = this.#deps;
    this.#outbox.takeOver(underWay);
    const now = clock.now();
    const stored = journal.savedState() ?? this.#state;
    const saved = stored.origin === '' ? { ...stored, origin: randomName() } : stored;
    const { maintenance, policy, summary, timezone } = this.#parts;
    const isQuiet = !policy.tells || maintenance.isActive(now);
    const restart = { now, lastRound, timezone, isQuiet };
    const known = summary === null ? { ...saved, summarizedUntil: null } : saved;
    const { state, effects } = takenUp(known, restart, policy);
    this.#keep(state, effects);
    this.#tick();
    this.#cancelTick = beat(clock, TICK, () => this.#tick());
  }

  /**
   * Delivers what it can until the signal is aborted or ten seconds are over; the rest is delivered after the next
   * start. Nothing, when it was not started.
   */
  async stop(signal: AbortSignal): Promise<void> {
    // One that never began must not begin now: another one may be delivering the same.
    if (this.#tickedAt === null) {
      this.#stopped.abort(new Error('Alerting was not started'));
      return;
    }
    this.#cancelTick?.();
    this.#cancelTick = null;
    using limit = deadline(this.#deps.clock, STOP_DEADLINE, signal);
    const abort = (): void => this.#stopped.abort(limit.signal.reason);
    if (limit.signal.aborted) abort();
    else limit.signal.addEventListener('abort', abort, { once: true });
    this.#work();
    await this.idle();
    this.#keep({ ...this.#state, runningSince: null }, []);
    this.#stopped.abort(new Error('Alerting has stopped'));
  }

  /**
   * Stops without waiting for the messages under way, which another alerting with the same journal goes on with: a peer
   * that answers late must not get a message again because of that. What is a state is sent until the signal is
   * aborted, as `stop` does.
   */
  async handOver(signal: AbortSignal): Promise<readonly Attempt[]> {
    const underWay = this.#outbox.handOver();
    await this.stop(signal);
    return underWay;
  }

  /**
   * Takes the diagnosis of one round. `fresh` names the preconditions that were looked at again; null: all. It never
   * throws and never waits.
   */
  accept(diagnosis: Diagnosis, fresh: readonly string[] | null, partlyFresh?: PartlyFresh): void {
    const looks = this.#looks;
    this.#take({ kind: 'diagnosis', diagnosis, fresh, looks, ...(partlyFresh === undefined ? {} : { partlyFresh }) });
    this.#looks = withLook(looks, diagnosis, fresh);
    this.#work();
  }

  /** Takes the last round once more, judged by an answer that came late: it confirms nothing again. */
  revise(diagnosis: Diagnosis): void {
    this.#take({ kind: 'revision', at: this.#deps.clock.now(), diagnosis });
    this.#work();
  }

  /** Open incidents, and those that ended lately. */
  incidents(): readonly Incident[] {
    return this.#state.incidents;
  }

  silences(): readonly Silence[] {
    return this.#state.silences;
  }

  /** Notifications about matching incidents wait until it ends. Gives the new silence. */
  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null {
    this.#take({ kind: 'silence', at: this.#deps.clock.now(), silence: request });
    this.#work();
    return this.#state.silences.at(-1) ?? null;
  }

  /** False when there is no such silence. */
  unsilence(id: string): boolean {
    if (!this.#state.silences.some((silence) => silence.id === id)) return false;
    this.#take({ kind: 'unsilence', at: this.#deps.clock.now(), id });
    this.#work();
    return true;
  }

  /** Stops the reminders of an open incident until it ends or its cause changes. False when there is no such one. */
  acknowledge(id: string, by: string): boolean {
    return this.#takeAboutOpen(id, { kind: 'acknowledge', at: this.#deps.clock.now(), id, by });
  }

  /** Its reminders go on. False when there is no such open incident. */
  unacknowledge(id: string): boolean {
    return this.#takeAboutOpen(id, { kind: 'unacknowledge', at: this.#deps.clock.now(), id });
  }

  #takeAboutOpen(id: string, input: IncidentInput): boolean {
    if (!this.#state.incidents.some((incident) => incident.id === id && incident.status === 'open')) return false;
    this.#take(input);
    this.#work();
    return true;
  }

  /** Whether it goes on by itself: reminders, digests and retries were looked at lately. */
  isWorking(): boolean {
    return (
      this.#tickedAt !== null &&
      this.#cancelTick !== null &&
      this.#deps.clock.elapsed() - this.#tickedAt < LOST_TICKS * TICK
    );
  }

  /** True while a maintenance window is open. */
  inMaintenance(): boolean {
    return this.#state.maintenance;
  }

  /** See `pendingByChannel`. */
  pending(): Readonly<Record<ChannelId, number>> {
    const outboxEntries = this.#deps.journal.pending();
    return pendingByChannel({
      messages: this.#messages,
      states: this.#states,
      outboxEntries,
      held: heldIn(this.#state),
    });
  }

  /** Of the configured channels that are told a state. */
  states(): readonly ChannelState[] {
    return this.#states.map((channel) => ({
      name: channelWords(channel.id).name,
      silent: channel.waiting(),
      tookAt: channel.takenAt(),
    }));
  }

  /** Whether the configuration sends notifications there. */
  isRecipient({ channel, recipient }: Pick<Delivery, 'channel' | 'recipient'>): boolean {
    return this.#messages.some(({ id, recipients }) => id === channel && recipients.includes(recipient));
  }

  /** Waits until nothing that is due is on its way. */
  async idle(): Promise<void> {
    for (let working: Promise<void> | null = null; working !== this.#working; ) {
      working = this.#working;
      await working;
    }
  }

  #tick(): void {
    const at = this.#deps.clock.now();
    const active = this.#parts.maintenance.isActive(at);
    this.#take(active === this.#state.maintenance ? { kind: 'tick', at } : { kind: 'maintenance', at, active });
    // It lists what is open.
    if (!active && !this.#state.incidents.some(isUnverified)) this.#summarize(at);
    this.#work();
    this.#tickedAt = this.#deps.clock.elapsed();
  }

  #summarize(now: EpochMs): void {
    const { summary, timezone } = this.#parts;
    const step = summary === null ? null : dueSummary(this.#state, summary, { now, timezone, ...this.#deps });
    if (step !== null) this.#keep(step.state, step.effects);
  }

  /** The new state is kept together with what is to be sent because of it, before anything is sent. */
  #take(input: IncidentInput): void {
    const { state, effects } = next(this.#state, input, this.#parts.policy);
    const hasChanged = JSON.stringify(state) !== JSON.stringify(this.#state);
    this.#noteAwaitingDigest(heldIn(state).length - heldIn(this.#state).length);
    if (hasChanged) this.#keep(state, effects);
  }

  #keep(state: IncidentState, effects: readonly IncidentEffect[]): void {
    this.#state = state;
    this.#deps.journal.record(journalEntry(state, effects, this.#messages, this.#deps.clock.now()));
    for (const effect of effects) this.#announce(effect);
  }

  #noteAwaitingDigest(more: number): void {
    if (more <= 0) return;
    this.#deps.logger.warn(
      { incidents: more },
      'Notifications wait: the hourly limit is reached (notify.policy.maxPerHour)',
    );
  }

  #announce(effect: IncidentEffect): void {
    const { logger } = this.#deps;
    switch (effect.kind) {
      case 'transition': {
        const { transition, incident } = effect;
        const { id, cause } = incident;
        logger.info(
          { incident: id, transition, cause: cause.id, severity: cause.severity, subject: cause.subject },
          'An incident changed',
        );
        return;
      }
      case 'notify':
        logger.info({ notification: effect.notification.id }, 'A notification is to be delivered');
    }
  }

  #work(): void {
    const { signal } = this.#stopped;
    if (signal.aborted) return;
    this.#working = Promise.all([
      this.#outbox.deliver(),
      ...this.#publishers.map((publish) => publish(() => this.#state, signal)),
    ]).then(() => undefined);
  }
}

export type AlertingConfig = MessageSettings & Pick<Config, 'notify'>;

/** With how far apart the checks are. */
type Deps = AlertingDeps & Pick<IncidentPolicy, 'intervals'>;

/**
 * Alerting as a configuration wants it.
 * @throws {RangeError} for a maintenance window that cannot be read
 */
export function createAlerting(config: AlertingConfig, { intervals, ...deps }: Deps): Alerting {
  const { notify } = config;
  return new Alerting(
    {
      channels: CHANNELS.flatMap((channel) =>
        channel.create(notify, { ...deps, ...messageContext(config), proxy: notify.proxy }),
      ),
      maintenance: createMaintenance(notify.maintenance),
      policy: policyOf(notify, intervals),
      timezone: config.timezone,
      summary: notify.summary === null ? null : readCrontab(notify.summary.cron, config.timezone),
    },
    deps,
  );
}

function policyOf(notify: NotifyConfig, intervals: IncidentPolicy['intervals']): IncidentPolicy {
  return { ...INCIDENT_DEFAULTS, ...notify.policy, checks: CHECKS, tells: hasChannel(notify), intervals };
}

/**
 * Keeps the recipients of one channel at what is true. One message at a time: what happens meanwhile goes out right
 * after it, as the state is then.
 */
export type StatePublisher = (state: () => IncidentState, signal: AbortSignal) => Promise<void>;

export function createStatePublisher(channel: StateChannel, deps: Omit<OutboxDeps, 'journal'>): StatePublisher {
  const { name } = channelWords(channel.id);
  /** Recipients, so that the log tells once that one fails. */
  const failing = new Set<string>();
  let last = Promise.resolve();

  function note({ recipient, kind, detail }: RecipientOutcome): void {
    const { logger, onDelivery, clock } = deps;
    const isSent = kind === 'sent';
    if (!isSent && !failing.has(recipient))
      logger.warn({ url: recipient, detail }, `${name} does not take alerts: it is tried again`);
    if (isSent && failing.has(recipient)) logger.info({ url: recipient }, `${name} takes alerts again`);
    if (isSent) failing.delete(recipient);
    else failing.add(recipient);
    onDelivery(channel.id, isSent ? 'sent' : 'failed', clock.now());
  }

  return (state, signal) => {
    last = last.then(async () => {
      const outcomes = await orDeferred([channel.id], () => channel.publish(state(), signal));
      for (const outcome of outcomes) note(outcome);
    });
    return last;
  };
}

/** What messages take from the configuration, besides who gets them. */
interface MessageSettings extends Pick<Config, 'site' | 'timezone'> {
  readonly web: Pick<Config['web'], 'publicUrl'>;
  readonly notify: Pick<Config['notify'], 'runbookUrl'>;
}

export function messageContext({ site, timezone, web, notify }: MessageSettings): MessageContext {
  return { site, timezone, publicUrl: web.publicUrl, runbookUrl: notify.runbookUrl };
}
