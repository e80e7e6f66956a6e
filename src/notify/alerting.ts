import type { NotifyConfig } from '../config/schema/notify.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import type { Incident, Silence } from '../engine/incident/incident.ts';
import type { AlertJournal, Delivery, DeliveryResult } from '../engine/incident/journal.ts';
import type { Transition } from '../engine/incident/machine-input.ts';
import type { ChannelId } from './channels/registry.ts';
import type { OutboxLogger } from './outbox.ts';
import type { SecretReader } from './secret-reader.ts';

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
   * Takes the diagnosis of one round. `fresh` names the preconditions that were looked at again; null: all. It never
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
   * Deliveries that wait, by channel, and what the hourly limit holds back; of a channel that is told a state, the
   * recipients that did not take the last message and have to hear something.
   */
  pending(): Readonly<Record<ChannelId, number>>;
  /** Of the configured channels that are told a state. */
  states(): readonly ChannelState[];
  /** Whether the configuration sends notifications there. */
  isRecipient(to: Pick<Delivery, 'channel' | 'recipient'>): boolean;
  /** Waits until nothing that is due is on its way. */
  idle(): Promise<void>;
}

/** Whether the recipients of a channel that is told a state listen. */
export interface ChannelState {
  readonly channel: string;
  /** Recipients that did not take the last message, and that still have to hear something. */
  readonly silent: number;
  /** As `StateChannel.takenAt`. */
  readonly tookAt: EpochMs | null;
}

export interface AlertingListener {
  /** One try of one delivery: `ftm_notifications_total` and the time of the last success. */
  delivered?(channel: string, result: DeliveryResult, at: EpochMs): void;
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
