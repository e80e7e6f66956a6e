import { systemClock } from '../../../src/system/clock.ts';
import type { ProbeContext } from '../../../src/network/context.ts';

/** Returns a probe context for tests: the real clock, an empty environment, and no abort by default. */
export function probeContext(more: Partial<ProbeContext> = {}): ProbeContext {
  return { clock: systemClock, signal: new AbortController().signal, sourceAddress: null, ...more };
}
