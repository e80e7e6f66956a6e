import type { Clock, Millis } from '../../core/clock.ts';
import { hostInLine } from './line-hosts.ts';
import type { FramedLine } from './framing.ts';
import type { IntakeLogger } from './logger.ts';
import { sampleOf } from './sample.ts';

/** Tells about foreign senders, once each: the usual reason is an appliance whose `logSources` lack an address. */
export interface StrangerLog {
  note(from: string, line: FramedLine): void;
  /** Those that were told of last, in order. */
  senders(): readonly string[];
}

const MOST_TOLD = 50;
const WITHIN: Millis = 3_600_000;

/**
 * Notices about senders, once each and so many within an hour: an attacker can invent addresses for ever; the log must
 * not grow with them, and an honest sender have its turn.
 */

export class SenderTurns {
  readonly #clock: Clock;
  readonly #told = new Map<string, Millis>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a notice about this sender may be logged; counts as logged. */
  take(from: string): boolean {
    const now = this.#clock.elapsed();
    if (this.#told.has(from) || !this.#hasRoom(now)) return false;
    this.#told.set(from, now);
    return true;
  }

  /** Those that were told of last, in order. */
  senders(): readonly string[] {
    return [...this.#told.keys()];
  }

  #hasRoom(now: Millis): boolean {
    const oldest = this.#told.entries().next().value;
    if (this.#told.size < MOST_TOLD || oldest === undefined) return true;
    const [from, at] = oldest;
    return now - at >= WITHIN && this.#told.delete(from);
  }
}

export function createStrangerLog({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}): StrangerLog {
  const turns = new SenderTurns(clock);
  return {
    senders: () => turns.senders(),
    note: (from, line) => {
      if (!turns.take(from)) return;
      const host = hostInLine(line.text, line.start, Math.min(line.end, line.start + 512));
      logger.warn(
        { sender: from, hostInLine: host === null ? null : sampleOf(host) },
        'log lines belong to no appliance: name their sender in appliances[].logSources, or in logs.relays where ' +
          'it is a relay',
      );
    },
  };
}
