import { CHECKS } from '../checks/registry.ts';
import { deadline } from '../clock.ts';
import type { NotifyConfig } from '../config/config.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { heldIn } from '../engine/incident/hourly-limit.ts';
import type { Incident, IncidentState, Silence } from '../engine/incident/incident.ts';
import { EMPTY_STATE } from '../engine/incident/incident.ts';
import type { AlertJournal, Delivery, DeliveryResult } from '../engine/incident/journal.ts';
import type { IncidentEffect, IncidentInput, Transition } from '../engine/incident/machine-input.ts';
import { next } from '../engine/incident/machine.ts';
import { INCIDENT_DEFAULTS } from '../engine/incident/policy.ts';
import type { IncidentPolicy } from '../engine/incident/policy.ts';
import { createAlertmanagerClient } from './alertmanager.ts';
import type { AlertmanagerClient, AlertmanagerResult } from './alertmanager.ts';
import { alertsOf } from './alerts.ts';
import type { Channel } from './channel.ts';
import { createChannels } from './channels.ts';
import { createMaintenance } from './maintenance.ts';
import type { Maintenance } from './maintenance.ts';
import { hasChannel } from './no-channel.ts';
import { createOutbox } from './outbox.ts';
import type { Outbox, OutboxLogger } from './outbox.ts';
import { parcelsOf } from './parcels-of.ts';
import { randomName } from './random-name.ts';
import type { SecretReader } from './secret-reader.ts';
import { touched } from './touched.ts';

/** From diagnoses to incidents, and from incidents to people. */
export interface Alerting {
  /** Continues where the last process ended. */
  start(): void;
  /**
   * Delivers what it can until the signal is aborted or ten seconds are over; the rest is delivered after the next
   * start. Nothing, when it was not started.
   */
  stop(signal: AbortSignal): Promise<void>;
  /**
   * Takes the diagnosis of one round. `fresh` names the preconditions that were looked at anew; null: all. It never
   * throws and never waits.
   */
  accept(diagnosis: Diagnosis, fresh: readonly string[] | null): void;
  /** Open incidents, and those that ended lately. */
  incidents(): readonly Incident[];
  silences(): readonly Silence[];
  /** Notifications about matching incidents wait until it ends. Gives the new silence. */
  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null;
  /** False when there is no such silence. */
  unsilence(id: string): boolean;
  /** Whether it goes on by itself: reminders, digests and retries were looked at lately. */
  isWorking(): boolean;
  /** True while a maintenance window is open. */
  inMaintenance(): boolean;
  /**
   * Deliveries that wait, by channel, and what the hourly limit holds back; Alertmanager's are the instances that did
   * not take the last message and have to hear something.
   */
  pending(): Readonly<Record<NotificationChannel, number>>;
  /** When what Alertmanager took last was true: all that was firing then. Null: it has taken nothing yet. */
  alertmanagerTookAt(): EpochMs | null;
  /** Whether the configuration sends notifications there. */
  isRecipient(to: Pick<Delivery, 'channel' | 'recipient'>): boolean;
  /** Waits until nothing that is due is on its way. */
  settled(): Promise<void>;
}

export type NotificationChannel = 'email' | 'webhook' | 'alertmanager';

export interface AlertingListener {
  /** One try of one delivery: `ftm_notifications_total` and the time of the last success. */
  delivered?(channel: NotificationChannel, result: DeliveryResult, at: EpochMs): void;
  /** An incident opened, changed or closed: `ftm_cause_active`, events for the page. */
  changed?(transition: Transition, incident: Incident): void;
}

export interface AlertingDeps {
  readonly clock: Clock;
  readonly logger: OutboxLogger;
  readonly journal: AlertJournal;
  readonly readSecret: SecretReader;
  readonly listener: AlertingListener;
}

export interface AlertingConfig {
  readonly site: string;
  readonly notify: NotifyConfig;
}

/** The parts that alerting is made of: a test may put others in. */
export interface AlertingParts {
  readonly site: string;
  readonly channels: readonly Channel[];
  readonly alertmanager: AlertmanagerClient;
  readonly maintenance: Pick<Maintenance, 'isActive'>;
  readonly policy: IncidentPolicy;
}

/** @throws {RangeError} for a maintenance window that cannot be read */
export function createAlerting(config: AlertingConfig, deps: AlertingDeps): Alerting {
  const { site, notify } = config;
  return new AlertingEngine(
    {
      site,
      channels: createChannels(config, deps),
      alertmanager: createAlertmanagerClient(notify.alertmanager?.urls ?? [], deps.clock),
      maintenance: createMaintenance(notify.maintenance),
      policy: { ...INCIDENT_DEFAULTS, ...notify.policy, checks: CHECKS, tells: hasChannel(notify) },
    },
    deps,
  );
}

/** Reminders, digests, retries and Alertmanager's messages are at most this late. */
const TICK: Millis = 2_000;
/** As many ticks that were not heard are no accident any more. */
const LOST_TICKS = 5;
const STOP_DEADLINE: Millis = 10_000;

export class AlertingEngine implements Alerting {
  readonly #parts: AlertingParts;
  readonly #deps: AlertingDeps;
  readonly #outbox: Outbox;
  readonly #stopped = new AbortController();
  /** Instances of Alertmanager, so that the log tells once that one fails. */
  readonly #failing = new Set<string>();
  #state: IncidentState = EMPTY_STATE;
  #cancelTick: (() => void) | null = null;
  #tickedAt: Millis | null = null;
  #working: Promise<void> = Promise.resolve();
  #telling: Promise<void> | null = null;

  constructor(parts: AlertingParts, deps: AlertingDeps) {
    this.#parts = parts;
    this.#deps = deps;
    const { clock, logger, journal, listener } = deps;
    this.#outbox = createOutbox(parts.channels, {
      clock,
      logger,
      journal,
      onDelivery: (channel, result, at) => listener.delivered?.(channel, result, at),
    });
  }

  start(): void {
    const saved = this.#deps.journal.savedState() ?? this.#state;
    this.#state = saved.origin === '' ? { ...saved, origin: randomName() } : saved;
    this.#tick();
  }

  async stop(signal: AbortSignal): Promise<void> {
    // One that never began must not begin now: another one may be delivering the same.
    if (this.#tickedAt === null) {
      this.#stopped.abort(new Error('Alerting was not started'));
      return;
    }
    this.#cancelTick?.();
    this.#cancelTick = null;
    using limit = deadline(this.#deps.clock, STOP_DEADLINE, signal);
    const abort = (): void => {
      this.#stopped.abort(limit.signal.reason);
    };
    if (limit.signal.aborted) abort();
    else limit.signal.addEventListener('abort', abort, { once: true });
    this.#work();
    await this.settled();
    this.#stopped.abort(new Error('Alerting has stopped'));
  }

  accept(diagnosis: Diagnosis, fresh: readonly string[] | null): void {
    this.#take({ kind: 'diagnosis', diagnosis, fresh });
    this.#work();
  }

  incidents(): readonly Incident[] {
    return this.#state.incidents;
  }

  silences(): readonly Silence[] {
    return this.#state.silences;
  }

  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null {
    this.#take({ kind: 'silence', at: this.#deps.clock.now(), silence: request });
    this.#work();
    return this.#state.silences.at(-1) ?? null;
  }

  unsilence(id: string): boolean {
    if (!this.#state.silences.some((silence) => silence.id === id)) return false;
    this.#take({ kind: 'unsilence', at: this.#deps.clock.now(), id });
    this.#work();
    return true;
  }

  isWorking(): boolean {
    return (
      this.#tickedAt !== null &&
      this.#cancelTick !== null &&
      this.#deps.clock.elapsed() - this.#tickedAt < LOST_TICKS * TICK
    );
  }

  inMaintenance(): boolean {
    return this.#state.maintenance;
  }

  pending(): Readonly<Record<NotificationChannel, number>> {
    const parcels = this.#deps.journal.pending();
    // What the hourly limit holds back waits for each way that it will go.
    const held = heldIn(this.#state);
    const count = (channel: NotificationChannel): number =>
      parcels.filter(({ delivery }) => delivery.channel === channel).length +
      held * this.#parts.channels.filter(({ id }) => id === channel).flatMap(({ recipients }) => recipients).length;
    return { email: count('email'), webhook: count('webhook'), alertmanager: this.#parts.alertmanager.waiting() };
  }

  alertmanagerTookAt(): EpochMs | null {
    return this.#parts.alertmanager.takenAt();
  }

  isRecipient({ channel, recipient }: Pick<Delivery, 'channel' | 'recipient'>): boolean {
    return this.#parts.channels.some(({ id, recipients }) => id === channel && recipients.includes(recipient));
  }

  async settled(): Promise<void> {
    for (let working: Promise<void> | null = null; working !== this.#working; ) {
      working = this.#working;
      await working;
    }
  }

  #tick(): void {
    const at = this.#deps.clock.now();
    const active = this.#parts.maintenance.isActive(at);
    this.#take(active === this.#state.maintenance ? { kind: 'tick', at } : { kind: 'maintenance', at, active });
    this.#work();
    this.#cancelTick = this.#deps.clock.after(TICK, () => {
      this.#tick();
    });
    this.#tickedAt = this.#deps.clock.elapsed();
  }

  /** The new state is kept together with what is to be sent because of it, before anything is sent. */
  #take(input: IncidentInput): void {
    const { state, effects } = next(this.#state, input, this.#parts.policy);
    const hasChanged = JSON.stringify(state) !== JSON.stringify(this.#state);
    this.#noteHeld(heldIn(state) - heldIn(this.#state));
    this.#state = state;
    if (!hasChanged) return;
    this.#deps.journal.record({
      state,
      incidents: touched(state, effects),
      parcels: effects.flatMap((effect) =>
        effect.kind === 'notify' ? parcelsOf(effect.notification, this.#parts.channels, this.#deps.clock.now()) : [],
      ),
    });
    for (const effect of effects) this.#announce(effect);
  }

  #noteHeld(more: number): void {
    if (more <= 0) return;
    this.#deps.logger.warn(
      { incidents: more },
      'Notifications wait: the hourly limit is reached (notify.policy.maxPerHour)',
    );
  }

  #announce(effect: IncidentEffect): void {
    const { logger, listener } = this.#deps;
    switch (effect.kind) {
      case 'transition': {
        const { transition, incident } = effect;
        const { id, cause } = incident;
        logger.info(
          { incident: id, transition, cause: cause.id, severity: cause.severity, subject: cause.subject },
          'An incident changed',
        );
        listener.changed?.(transition, incident);
        return;
      }
      case 'notify':
        logger.info({ notification: effect.notification.id }, 'A notification is to be delivered');
    }
  }

  #work(): void {
    if (this.#stopped.signal.aborted) return;
    this.#working = Promise.all([this.#outbox.drain(this.#stopped.signal), this.#tellAlertmanager()]).then(
      () => undefined,
    );
  }

  /** One message at a time: what happens meanwhile goes out right after it. */
  #tellAlertmanager(): Promise<void> {
    const turn = (this.#telling ?? Promise.resolve()).then(async () => {
      const alerts = alertsOf(this.#state, this.#parts.site, this.#deps.clock.now());
      for (const result of await this.#parts.alertmanager.send(alerts, this.#stopped.signal)) this.#noteResult(result);
    });
    this.#telling = turn;
    return turn;
  }

  #noteResult({ url, kind, detail }: AlertmanagerResult): void {
    const { logger, listener, clock } = this.#deps;
    const isSent = kind === 'sent';
    if (!isSent && !this.#failing.has(url))
      logger.warn({ url, detail }, 'Alertmanager does not take alerts: it is tried again');
    if (isSent && this.#failing.has(url)) logger.info({ url }, 'Alertmanager takes alerts again');
    if (isSent) this.#failing.delete(url);
    else this.#failing.add(url);
    listener.delivered?.('alertmanager', isSent ? 'sent' : 'failed', clock.now());
  }
}
