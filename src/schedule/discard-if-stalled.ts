import type { Clock } from '../core/clock.ts';
import { isInvalid } from '../core/invalid-round.ts';
import { createStallMonitor } from './stall-monitor.ts';

/** Null: this process stalled meanwhile, so that what it saw says nothing about whom it asked. */
export async function discardIfStalled<T>(clock: Clock, look: Promise<T>): Promise<{ readonly seen: T } | null> {
  using stall = createStallMonitor(clock);
  const seen = await look;
  return isInvalid({ stalledMs: stall.longest() }) ? null : { seen };
}
