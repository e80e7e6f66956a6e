import { hostInLine } from './line-hosts.ts';
import type { Line } from './framing.ts';
import type { IntakeLogger } from './logger.ts';
import { sampleOf } from './sample.ts';

/** Tells about foreign senders, once each: the usual reason is an appliance whose `logSources` lack an address. */
export interface StrangerLog {
  note(from: string, line: Line): void;
  /** Those that were told of, in order. */
  senders(): readonly string[];
}

/** An attacker can invent addresses for ever; the log must not grow with them. */
const MAX_TOLD = 50;

export function createStrangerLog(logger: IntakeLogger): StrangerLog {
  const told = new Set<string>();
  return {
    senders: () => [...told],
    note: (from, line) => {
      if (told.size >= MAX_TOLD || told.has(from)) return;
      told.add(from);
      const host = hostInLine(line.text, line.start, Math.min(line.end, line.start + 512));
      logger.warn(
        { sender: from, hostInLine: host === null ? null : sampleOf(host) },
        'log lines belong to no appliance: name their sender in appliances[].logSources, or in logs.relays where ' +
          'it is a relay',
      );
    },
  };
}
