import { randomBytes } from 'node:crypto';
import { beat, deadline, IDLE_BEAT } from '../system/clock.ts';
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
  type LastJudged,
  withLastJudged,
} from '../engine/incident/round-view.ts';
import { next } from '../engine/incident/machine.ts';
import {
  type Channel,
  type ChannelDeps,
  type ChannelState,
  type MessageChannel,
  type StateChannel,
  orDeferred,
  type RecipientOutcome,
} from './channels/channel.ts';
import { configuredChannels } from './channels/registry.ts';
import { byChannel, channelWords, type ChannelId, CHANNELS, hasChannel } from '../config/schema/channels.ts';
import { resumedState, type SummaryFacts, dueSummary } from './notes.ts';
import { type Maintenance, createMaintenance } from './maintenance.ts';
import { Outbox, type OutboxDeps } from './outbox.ts';
import type { EgressDeps } from '../network/http/egress.ts';
import { type Crontab, readCrontab } from '../text/crontab.ts';
import { lookedAt } from '../checks/named-subjects.ts';
import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';

interface AlertingDeps extends OutboxDeps {
  readonly summaryFacts: (from: EpochMs, until: EpochMs) => SummaryFacts;
  readonly readSecret: SecretReader;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
}

interface AlertingParts {
  readonly channels: readonly Channel[];
  readonly maintenance: Pick<Maintenance, 'isActive'>;
  readonly policy: IncidentPolicy;
  readonly timezone: string;
  readonly summary: Crontab | null;
}

/**
 * The interval between ticks while deliveries are failing. Otherwise, reminders, digests and the ends of silences can
 * be up to {@link IDLE_BEAT} late.
 */
const TICK: Millis = 2_000;
const LOST_AFTER: Millis = 8_000;
/** Longer than the first checks take. A check may have no result for days, for example while a unit is switched off. */
const VERIFYING: Millis = 15 * 60_000;
const STOP_DEADLINE: Millis = 10_000;

export class Alerting {
  readonly #parts: AlertingParts;
  readonly #deps: AlertingDeps;
  readonly #messages: readonly MessageChannel[];
  readonly #states: readonly StateChannel[];
  readonly #outbox: Outbox;
  readonly #publishers: readonly StatePublisher[];
  readonly #stopped = new AbortController();
  #state: IncidentState = EMPTY_STATE;
  #lastJudged: LastJudged = new Map();
  #cancelTick: (() => void) | null = null;
  #pace: Millis = TICK;
  #tickedAt: Millis | null = null;
  #verifiesUntil: Millis = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: AlertingParts, deps: AlertingDeps) {
    this.#parts = parts;
    this.#deps = deps;
    this.#messages = parts.channels.filter((channel) => channel.kind === 'messages');
    this.#states = parts.channels.filter((channel) => channel.kind === 'state');
    this.#outbox = new Outbox(this.#messages, deps, this.#stopped.signal);
    this.#publishers = this.#states.map((channel) => createStatePublisher(channel, deps));
  }

  /** Resumes the state of the previous process, and sends a note if that process ended unexpectedly. */
  start(lastRound: EpochMs | null = null): void {
    const { clock, journal } = this.#deps;
    const now = clock.now();
    const stored = journal.savedState() ?? this.#state;
    const saved = stored.origin === '' ? { ...stored, origin: randomName() } : stored;
    const { maintenance, policy, summary, timezone } = this.#parts;
    const isQuiet = !policy.tells || maintenance.isActive(now);
    const restart = { now, lastRound, timezone, isQuiet };
    const known = summary === null ? { ...saved, summarizedUntil: null } : saved;
    const { state, effects } = resumedState(known, restart, policy);
    this.#keep(state, effects);
    this.#verifiesUntil = this.#deps.clock.elapsed() + VERIFYING;
    this.#tick();
    this.#startTicking();
  }

  /**
   * Delivers pending messages until the signal is aborted or ten seconds have passed. Does nothing if alerting was not
   * started.
   */
  async stop(signal: AbortSignal): Promise<void> {
    // Another instance may already be delivering the same messages, so this instance must never start.
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
   * Never throws or waits.
   * @param fresh the preconditions that this round checked, or null for all
   */
  accept(diagnosis: Diagnosis, fresh: readonly string[] | null, partlyFresh?: PartlyFresh): void {
    const lastJudged = this.#lastJudged;
    this.#take({
      kind: 'diagnosis',
      diagnosis,
      fresh,
      lastJudged,
      ...(partlyFresh === undefined ? {} : { partlyFresh }),
    });
    this.#lastJudged = withLastJudged(lastJudged, diagnosis, fresh);
    this.#work();
  }

  /** Processes the last round again after a late response, without counting it as another confirmation. */
  revise(diagnosis: Diagnosis): void {
    this.#take({ kind: 'revision', at: this.#deps.clock.now(), diagnosis });
    this.#work();
  }

  incidents(): readonly Incident[] {
    return this.#state.incidents;
  }

  silences(): readonly Silence[] {
    return this.#state.silences;
  }

  /** The oldest silence is removed if there are too many. */
  silence(request: Omit<Silence, 'id'>): Silence {
    this.#take({ kind: 'silence', at: this.#deps.clock.now(), silence: request });
    this.#work();
    const added = this.#state.silences.at(-1);
    if (added === undefined) throw new Error('The silence was not added. This is a bug in the incident engine');
    return added;
  }

  /** Returns false if no silence has this ID. */
  unsilence(id: string): boolean {
    if (!this.#state.silences.some((silence) => silence.id === id)) return false;
    this.#take({ kind: 'unsilence', at: this.#deps.clock.now(), id });
    this.#work();
    return true;
  }

  /** Stops reminders until the incident ends, its severity rises or its cause changes. Returns false if no open incident has this ID. */
  acknowledge(id: string, by: string): boolean {
    return this.#takeAboutOpen(id, { kind: 'acknowledge', at: this.#deps.clock.now(), id, by });
  }

  unacknowledge(id: string): boolean {
    return this.#takeAboutOpen(id, { kind: 'unacknowledge', at: this.#deps.clock.now(), id });
  }

  attach(id: string, evidence: readonly string[]): boolean {
    return this.#takeAboutOpen(id, { kind: 'attach', at: this.#deps.clock.now(), id, evidence });
  }

  #takeAboutOpen(id: string, input: IncidentInput): boolean {
    if (!this.#state.incidents.some((incident) => incident.id === id && incident.status === 'open')) return false;
    this.#take(input);
    this.#work();
    return true;
  }

  isWorking(): boolean {
    return (
      this.#tickedAt !== null &&
      this.#cancelTick !== null &&
      this.#deps.clock.elapsed() - this.#tickedAt < IDLE_BEAT + LOST_AFTER
    );
  }

  inMaintenance(): boolean {
    return this.#state.maintenance;
  }

  /** For a state channel, the number includes the recipients that rejected the last message. */
  pending(): Readonly<Record<ChannelId, number>> {
    const held = heldIn(this.#state);
    return byChannel((channel) =>
      this.#states
        .filter(({ id }) => id === channel)
        .reduce((sum, state) => sum + state.waiting(), this.#outbox.pending(channel, held)),
    );
  }

  /** Returns the time since which messages have been failing, for each channel with a failing message. */
  failingSince(): ReadonlyMap<ChannelId, EpochMs> {
    const pending = this.#deps.journal.pending();
    return new Map(
      CHANNELS.flatMap(({ id }) => {
        const states = this.#publishers.filter(({ channel }) => channel.id === id);
        const times = [
          ...pending.flatMap(({ delivery }) => (delivery.channel === id ? (delivery.firstFailedAt ?? []) : [])),
          ...states.flatMap(({ failingSince }) => failingSince()),
        ];
        return times.length === 0 ? [] : [[id, Math.min(...times)] as const];
      }),
    );
  }

  states(): readonly ChannelState[] {
    return this.#states.map((channel) => ({
      name: channelWords(channel.id).name,
      silent: channel.waiting(),
      tookAt: channel.takenAt(),
    }));
  }

  isRecipient({ channel, recipient }: Pick<Delivery, 'channel' | 'recipient'>): boolean {
    return this.#messages.some(({ id, recipients }) => id === channel && recipients.includes(recipient));
  }

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
    // A summary lists open incidents, so after a start it waits until all of them have been verified.
    const isVerifying = this.#deps.clock.elapsed() < this.#verifiesUntil && this.#state.incidents.some(isUnverified);
    if (!active && !isVerifying) this.#summarize(at);
    this.#work();
    this.#tickedAt = this.#deps.clock.elapsed();
    this.#adjustPace();
  }

  #startTicking(): void {
    this.#cancelTick?.();
    this.#pace = this.#neededPace();
    this.#cancelTick = beat(this.#deps.clock, this.#pace, () => this.#tick());
  }

  #adjustPace(): void {
    if (this.#cancelTick !== null && this.#pace !== this.#neededPace()) this.#startTicking();
  }

  /** Ticks are frequent only while failed deliveries must be retried, because each tick wakes an idle process. */
  #neededPace(): Millis {
    const isWaiting = this.#deps.journal.pending().length > 0 || this.#states.some((channel) => channel.waiting() > 0);
    return isWaiting ? TICK : IDLE_BEAT;
  }

  #summarize(now: EpochMs): void {
    const { summary, timezone } = this.#parts;
    const step = summary === null ? null : dueSummary(this.#state, summary, { now, timezone }, this.#deps.summaryFacts);
    if (step !== null) this.#keep(step.state, step.effects);
  }

  /** Stores the new state and the resulting notifications before anything is sent. */
  #take(input: IncidentInput): void {
    const { state, effects } = next(this.#state, input, this.#parts.policy);
    const hasChanged = JSON.stringify(state) !== JSON.stringify(this.#state);
    const incidents = heldIn(state).length - heldIn(this.#state).length;
    if (incidents > 0)
      this.#deps.logger.warn(
        { event: 'notifications-limited', incidents },
        'Notifications are held back because the hourly limit has been reached (notify.policy.maxPerHour)',
      );
    if (hasChanged) this.#keep(state, effects);
  }

  #keep(state: IncidentState, effects: readonly IncidentEffect[]): void {
    this.#state = state;
    this.#outbox.record(state, effects);
    for (const effect of effects) this.#announce(effect);
    this.#adjustPace();
  }

  #announce(effect: IncidentEffect): void {
    const { logger } = this.#deps;
    switch (effect.kind) {
      case 'transition': {
        const { transition, incident } = effect;
        const { id, cause } = incident;
        logger.info(
          {
            event: 'incident-changed',
            incident: id,
            transition,
            cause: cause.id,
            severity: cause.severity,
            subject: cause.subject,
          },
          'An incident changed',
        );
        return;
      }
      case 'notify':
        logger.info(
          { event: 'notification-queued', notification: effect.notification.id },
          'A notification was queued for delivery',
        );
    }
  }

  #work(): void {
    const { signal } = this.#stopped;
    if (signal.aborted) return;
    this.#working = Promise.all([
      this.#outbox.deliver(),
      ...this.#publishers.map(({ publish }) => publish(() => this.#state, signal)),
    ]).then(() => undefined);
  }
}

/** @throws {RangeError} if a maintenance window is invalid */
export function createAlerting(
  config: Config,
  { intervals, ...deps }: AlertingDeps & Pick<IncidentPolicy, 'intervals'>,
): Alerting {
  const { notify, timezone } = config;
  return new Alerting(
    {
      channels: createChannels(config, deps),
      maintenance: createMaintenance(notify.maintenance),
      policy: {
        ...INCIDENT_DEFAULTS,
        ...notify.policy,
        checks: CHECKS,
        isConfigured: lookedAt(config),
        tells: hasChannel(notify),
        intervals,
      },
      timezone,
      summary: notify.summary === null ? null : readCrontab(notify.summary.cron, timezone),
    },
    deps,
  );
}

export function createChannels(
  { site, timezone, web, notify }: Config,
  { version, clock, readSecret, env }: Omit<EgressDeps, 'proxy'> & Pick<ChannelDeps, 'version'>,
): readonly Channel[] {
  const context = { version, site, timezone, publicUrl: web.publicUrl, runbookUrl: notify.runbookUrl };
  const egress = { clock, readSecret, env, proxy: notify.proxy };
  return configuredChannels(notify, { ...context, ...egress });
}

/** Sends one message at a time. If the state changes meanwhile, the new state is sent immediately afterwards. */
interface StatePublisher {
  readonly channel: StateChannel;
  readonly publish: (state: () => IncidentState, signal: AbortSignal) => Promise<void>;
  /** For each recipient that does not accept the state, the time since which it has not done so. */
  readonly failingSince: () => readonly EpochMs[];
}

function createStatePublisher(channel: StateChannel, { logger, onDelivery, clock }: OutboxDeps): StatePublisher {
  const { name } = channelWords(channel.id);
  /** Each failure is logged only once. Null while nothing is left to send to the recipient. */
  const failing = new Map<string, EpochMs | null>();
  let last = Promise.resolve();

  function note({ recipient, kind, detail }: RecipientOutcome): void {
    const isSent = kind === 'sent';
    if (!isSent && !failing.has(recipient))
      logger.warn(
        { event: 'alerts-refused', url: recipient, detail },
        `Cannot send alerts to ${name}. ftm-watch will retry`,
      );
    if (isSent && failing.has(recipient))
      logger.info({ event: 'alerts-accepted', url: recipient }, `${name} accepts alerts again`);
    if (isSent) failing.delete(recipient);
    else failing.set(recipient, failing.get(recipient) ?? clock.now());
    onDelivery(channel.id, isSent ? 'sent' : 'failed', clock.now());
  }

  return {
    channel,
    publish: (state, signal) => {
      last = last.then(async () => {
        const outcomes = await orDeferred([channel.id], () => channel.publish(state(), signal));
        for (const outcome of outcomes) note(outcome);
        if (channel.waiting() === 0) for (const recipient of failing.keys()) failing.set(recipient, null);
      });
      return last;
    },
    failingSince: () => [...failing.values()].filter((since) => since !== null),
  };
}

/** With ten characters, the probability that two of a thousand sites have the same name is one in two million. */
export function randomName(): string {
  return randomBytes(5).toString('hex');
}
