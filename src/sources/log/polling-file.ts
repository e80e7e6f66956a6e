import { z } from 'zod';

import type { EpochMs, Millis } from '../../core/clock.ts';
import type { ApplianceLog, PollingState } from '../../core/polling/state.ts';

/** A clock that was set back by less than this is still believed. */
const TOLERATED_FUTURE: Millis = 60_000;

/** A restart, or a new configuration: what an appliance may have said meanwhile is made up for by what it says next. */
export const SHORT_BREAK: Millis = 15 * 60_000;

const instant = z.number().int();
const count = z.number().int().positive();
const text = z.string().max(2_000);

const signatureLog = z.object({
  lastAt: instant,
  begunAt: instant.exactOptional(),
  reliableAt: instant.nullable().exactOptional(),
  sample: text,
  recent: z
    .array(z.object({ at: instant, count, line: text }))
    .max(100)
    .exactOptional(),
  heard: count.exactOptional(),
  buckets: z.array(z.object({ start: instant, firstAt: instant, count })).max(1_000),
});

const sighting = z.object({
  signature: text,
  firstAt: instant,
  lastAt: instant,
  count,
  reliableAt: instant.nullable().exactOptional(),
  evidence: z.object({
    device: text.nullable(),
    policy: text.nullable(),
    profile: text.nullable(),
    action: text.nullable(),
    sourceAddress: text.nullable(),
    destinationAddress: text.nullable(),
    hostName: text.nullable(),
  }),
  sample: text,
});

const state = z.object({
  version: z.literal(1),
  bucketMs: z.number().int().min(1_000),
  appliances: z.record(text, z.object({ lastLineAt: instant.nullable(), signatures: z.record(text, signatureLog) })),
  awaited: z.record(text, instant).exactOptional(),
  firewall: z.array(sighting).max(100),
});

const kept = z.object({ listening: z.object({ since: instant, until: instant }) });

/** From when to when the log was listened to. */
export interface Listening {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

/**
 * Since when the log has been listened to, when the last one who did so stopped only just now; else null. Without it a
 * restart a day would hide for ever that an appliance fell silent.
 */
export function listenedSince(stored: unknown, now: EpochMs): EpochMs | null {
  const { data } = kept.safeParse(stored);
  if (data === undefined) return null;
  const { since, until } = data.listening;
  const isJustNow = now - until <= SHORT_BREAK && until <= now + TOLERATED_FUTURE;
  return isJustNow && since <= until ? Math.min(since, now) : null;
}

/**
 * What was kept before a restart; null when it is not what this version writes. What lies in the future was kept by a
 * clock that was wrong, and would count as just seen until then: errors are left out. A last line was there all the
 * same, and counts as of now.
 */
export function readPolling(stored: unknown, now: EpochMs): PollingState | null {
  const { data } = state.safeParse(stored);
  if (data === undefined) return null;
  const latest = now + TOLERATED_FUTURE;
  const entries = Object.entries(data.appliances).map(
    ([name, log]) => [name, withoutFuture(log, latest, now)] as const,
  );
  return {
    ...data,
    appliances: Object.fromEntries(entries),
    firewall: data.firewall.filter(({ lastAt }) => lastAt <= latest),
  };
}

function withoutFuture({ lastLineAt, signatures }: ApplianceLog, latest: EpochMs, now: EpochMs): ApplianceLog {
  return {
    lastLineAt: lastLineAt !== null && lastLineAt > latest ? now : lastLineAt,
    signatures: Object.fromEntries(Object.entries(signatures).filter(([, { lastAt }]) => lastAt <= latest)),
  };
}
