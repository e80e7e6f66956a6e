import type { EpochMs } from '../../core/clock.ts';
import type { LogResult, LogSource } from '../../core/polling/log-event.ts';

/** What became of the lines since the start: counters that only grow, all known series from the beginning. */
export interface LogCounters {
  readonly lines: Readonly<Record<LogSource, Readonly<Record<LogResult, number>>>>;
  /** By appliance, `unnamed` for lines that belong to none; an appliance that was never heard is missing. */
  readonly lastReceivedAt: ReadonlyMap<string, EpochMs>;
  /** Connections over TCP and TLS. */
  readonly connections: ConnectionCounters;
  readonly udp: UdpCounters | null;
}

export interface ConnectionCounters {
  readonly open: number;
  readonly accepted: number;
  /** Closed, or turned away: too many at once. */
  readonly overLimit: number;
  /** Closed: they did not end a line in time. */
  readonly timedOut: number;
  /** Closed: all together began more than they ended. */
  readonly overBudget: number;
  /** Closed: foreign, and `logs.foreign` is `refuse`. */
  readonly refused: number;
  /** TLS handshakes that failed. */
  readonly failedHandshakes: number;
}

export interface UdpCounters {
  /** What the kernel really gave; it doubles what was asked for. */
  readonly receiveBufferBytes: number;
  /** Datagrams that the kernel dropped because the buffer was full; null where it does not tell. */
  readonly kernelDrops: number | null;
}

export type LineTally = Record<LogResult, number>;

export type ConnectionTally = { -readonly [K in keyof ConnectionCounters]: ConnectionCounters[K] };

export function newLineTally(): LineTally {
  return { ftm: 0, unrecognised: 0, other: 0, foreign: 0, unparsed: 0, dropped: 0 };
}

export function newConnectionTally(): ConnectionTally {
  return { open: 0, accepted: 0, overLimit: 0, timedOut: 0, overBudget: 0, refused: 0, failedHandshakes: 0 };
}
