import type { EpochMs, Millis } from './clock.ts';

/** The state of the daemon itself, as opposed to the state of what it monitors. */
export interface AgentHealth {
  readonly host: string;
  readonly at: EpochMs;
  readonly timezone: string;
  readonly store: StoreHealth;
  readonly certificates: readonly OwnCertificate[];
  readonly log: LogHealth;
  readonly channels: readonly ChannelHealth[];
  /** Why the last reload was rejected. Null unless the last reload was rejected. */
  readonly rejectedReload: readonly string[] | null;
  /** Advice about settings that are allowed but insecure. */
  readonly advice: readonly string[];
}

export interface StoreHealth {
  /** Null if the last write succeeded. */
  readonly failure: string | null;
  /** True if a newer version of ftm-watch wrote the store, so that this version does not change it. */
  readonly isNewer: boolean;
}

export interface OwnCertificate {
  readonly owner: 'status page' | 'syslog listener';
  readonly end: EpochMs;
}

export type ListenerName = 'UDP' | 'TCP' | 'TLS';

export interface LogHealth {
  /** Listeners that stopped working and could not be opened again yet. */
  readonly lostListeners: readonly { readonly name: ListenerName; readonly failure: string }[];
  /** Number of lines lost within the window. */
  readonly lostLines: number;
  readonly window: Millis;
  readonly refusedSenders: readonly RefusedSender[];
}

/** An appliance's address whose latest connection within the window failed before a line could be read. */
export interface RefusedSender {
  readonly address: string;
  /** Verb phrase about the sender, such as `presents no certificate`. */
  readonly failure: string;
}

export interface ChannelHealth {
  readonly name: string;
  /** The time since which a message has been failing. Null if no message is failing. */
  readonly failingSince: EpochMs | null;
  /** Number of recipients whose last message was rejected or abandoned. */
  readonly unreached: number;
}
