import type { EpochMs } from '../../core/clock.ts';
import type { ConnectionResult, LogResult, LogSource } from '../../core/polling/log-event.ts';

/** What became of the lines since the start: counters that only grow, all known series from the beginning. */
export interface LogCounters {
  readonly lines: Readonly<Record<LogSource, Readonly<Record<LogResult, number>>>>;
  /** By appliance, `unnamed` for lines that belong to none; an appliance that was never heard is missing. */
  readonly lastReceivedAt: ReadonlyMap<string, EpochMs>;
  /** Connections over TCP and TLS. */
  readonly connections: ConnectionCounters;
  readonly udp: UdpCounters | null;
}

/** `open` is how many there are now. */
export type ConnectionCounters = Readonly<Record<ConnectionResult | 'open', number>>;

export interface UdpCounters {
  /** What the kernel really gave; it doubles what was asked for. */
  readonly receiveBufferBytes: number;
  /** Datagrams that the kernel dropped because the buffer was full; null where it does not tell. */
  readonly kernelDrops: number | null;
}

export type LineTally = Record<LogResult, number>;

export type ConnectionTally = Record<ConnectionResult | 'open', number>;

export function newLineTally(): LineTally {
  return { ftm: 0, unrecognised: 0, other: 0, foreign: 0, unparsed: 0, dropped: 0 };
}

export function newConnectionTally(): ConnectionTally {
  return {
    open: 0,
    accepted: 0,
    'over-limit': 0,
    'timed-out': 0,
    'over-budget': 0,
    refused: 0,
    'no-certificate': 0,
    'failed-handshake': 0,
  };
}
