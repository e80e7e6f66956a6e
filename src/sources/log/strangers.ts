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

/** An attacker can invent addresses for ever; the log must not grow with them, and an honest sender have its turn. */
const MOST_TOLD = 50;
const WITHIN: Millis = 3_600_000;

export function createStrangerLog({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}): StrangerLog {
  const told = new Map<string, Millis>();

  function hasRoom(now: Millis): boolean {
    const oldest = told.entries().next().value;
    if (told.size < MOST_TOLD || oldest === undefined) return true;
    const [from, at] = oldest;
    return now - at >= WITHIN && told.delete(from);
  }

  return {
    senders: () => [...told.keys()],
    note: (from, line) => {
      const now = clock.elapsed();
      if (told.has(from) || !hasRoom(now)) return;
      told.set(from, now);
      const host = hostInLine(line.text, line.start, Math.min(line.end, line.start + 512));
      logger.warn(
        { sender: from, hostInLine: host === null ? null : sampleOf(host) },
        'log lines belong to no appliance: name their sender in appliances[].logSources, or in logs.relays where ' +
          'it is a relay',
      );
    },
  };
}
