import { systemClock } from '../../src/system/clock.ts';
import type { ProbeContext } from '../../src/network/context.ts';

/** The context of a probe in a test: the real clock, nothing in the environment, aborted by nobody unless told. */
export function probeContext(more: Partial<ProbeContext> = {}): ProbeContext {
  return { clock: systemClock, signal: new AbortController().signal, sourceAddress: null, env: {}, ...more };
}
