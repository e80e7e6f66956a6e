import { z } from 'zod';
import type { Millis } from '../core/clock.ts';
import type { PollingState } from '../core/polling/state.ts';
import { emptyPolling, resumePolling } from '../core/polling/state.ts';

const instant = z.number();
const text = z.string();

const signatureLog = z.strictObject({
  lastAt: instant,
  begunAt: instant.exactOptional(),
  reliable: z.boolean().exactOptional(),
  sample: text,
  recent: z
    .array(z.strictObject({ at: instant, count: z.int().positive(), line: text }))
    .max(100)
    .exactOptional(),
  heard: z.int().positive().exactOptional(),
  buckets: z.array(z.strictObject({ start: instant, firstAt: instant, count: z.int().positive() })).max(100),
});

const evidence = z.strictObject({
  device: text.nullable(),
  policy: text.nullable(),
  profile: text.nullable(),
  action: text.nullable(),
  sourceAddress: text.nullable(),
  destinationAddress: text.nullable(),
  hostName: text.nullable(),
});

const sighting = z.strictObject({ signature: text, firstAt: instant, lastAt: instant, count: z.int().positive(), evidence, sample: text });

const state = z.strictObject({
  version: z.literal(1),
  bucketMs: z.number().positive(),
  appliances: z.record(text, z.strictObject({ lastLineAt: instant.nullable(), signatures: z.record(text, signatureLog) })),
  awaited: z.record(text, instant).exactOptional(),
  firewall: z.array(sighting).max(100),
});

/**
 * What an earlier run remembered of the logs (`JSON.stringify` of its state), under the present window. Whatever else is stored there
 * counts as nothing heard: a memory that cannot be read must not keep the program from starting.
 */
export function restorePolling(stored: string | null, window: Millis): PollingState {
  if (stored === null) return emptyPolling(window);
  try {
    const parsed = state.safeParse(JSON.parse(stored));
    return parsed.success ? resumePolling(parsed.data, window) : emptyPolling(window);
  } catch {
    return emptyPolling(window);
  }
}
