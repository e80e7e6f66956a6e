import type { LogFields } from '../system/operator-log.ts';
import type { EpochMs, Clock, Millis } from '../core/clock.ts';
import type { ConnectionResult, LogResult, LogSource } from '../core/polling/log-event.ts';

/** Counts since the process started. All known series exist from the beginning. */
export interface LogCounters {
  readonly lines: Readonly<Record<LogSource, Readonly<Record<LogResult, number>>>>;
  /** The key is the appliance. Lines without an appliance are listed as `unnamed`. */
  readonly lastReceivedAt: ReadonlyMap<string, EpochMs>;
  readonly connections: ConnectionCounters;
  readonly udp: UdpCounters | null;
}

/** `open` is the number of connections that are currently open. */
type ConnectionCounters = Readonly<Record<ConnectionResult | 'open', number>>;

export interface UdpCounters {
  /** The size reported by the kernel, which doubles the requested size. */
  readonly receiveBufferBytes: number;
  /** Number of datagrams that were dropped because the buffer was full. Null if the kernel does not report it. */
  readonly kernelDrops: number | null;
}

export type LineTally = Record<LogResult, number>;

export type ConnectionTally = Record<ConnectionResult | 'open', number>;

interface RecentCount {
  add(count: number): void;
  total(): number;
}

/** Counts what happened within `window`, in at most 60 steps. */
export function createRecentCount(clock: Clock, window: Millis): RecentCount {
  const step = window / 60;
  const counts: { readonly at: Millis; count: number }[] = [];
  return {
    add: (count) => {
      const now = clock.elapsed();
      const last = counts.at(-1);
      if (last !== undefined && now - last.at < step) last.count += count;
      else counts.push({ at: now, count });
      while (now - (counts[0]?.at ?? now) > window) counts.shift();
    },
    total: () => counts.filter(({ at }) => clock.elapsed() - at <= window).reduce((sum, { count }) => sum + count, 0),
  };
}

export function newLineTally(): LineTally {
  return { ftm: 0, unrecognised: 0, other: 0, foreign: 0, unparsed: 0, dropped: 0 };
}

export function newConnectionTally(): ConnectionTally {
  return {
    open: 0,
    accepted: 0,
    'over-limit': 0,
    'timed-out': 0,
    refused: 0,
    'no-certificate': 0,
    'failed-handshake': 0,
  };
}

export interface IntakeLogger {
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

const EVERY: Millis = 600_000;

/**
 * Logs events that unknown senders can cause at any rate. The first event is logged immediately. Later events are
 * counted, and the count is logged at most every ten minutes.
 */
export function createOccasionalWarning(
  { clock, logger }: { readonly clock: Clock; readonly logger: IntakeLogger },
  event: string,
  message: string,
): (fields: object) => void {
  let quietUntil: Millis | null = null;
  let times = 0;
  return (fields) => {
    times += 1;
    if (quietUntil !== null && clock.elapsed() < quietUntil) return;
    logger.warn({ event, ...fields, times }, message);
    quietUntil = clock.elapsed() + EVERY;
    times = 0;
  };
}
