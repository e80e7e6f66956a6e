import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { handClock, type HandClock } from './hand-clock.ts';

/** Several short looks instead of a long one, because they take longer on a busy machine, as the kernel does. */
const LOOKS = 4;
const LOOK_MS = 4;
/** The resources that looking makes: the timer and the second count. */
const OWN = 2;
/** Work of other threads, after which this one goes on. */
const REQUEST = /^(?:FSReq|Get(?:Addr|Name)Info)|Job$|Request$/u;

/** All clocks of the process with timers. They are watched together, because looking is something that happens. */
const waiting = new Set<HandClock>();

/**
 * A clock for tests with real peers in this process. It stands still while anybody has something to do, and then moves
 * to the next timer. So a time limit passes if an answer never comes, and not because the machine is busy.
 */
export function idleClock(): Clock {
  const clock = handClock(systemClock.now());
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    after(delay, callback) {
      const cancel = clock.after(delay, callback);
      if (waiting.size === 0) void watch();
      waiting.add(clock);
      return cancel;
    },
  };
}

async function watch(): Promise<void> {
  do {
    const idle = await isIdle();
    for (const clock of waiting)
      if (clock.timers() === 0) waiting.delete(clock);
      else if (idle) clock.advance(clock.untilNext());
  } while (waiting.size > 0);
}

async function isIdle(): Promise<boolean> {
  for (let look = 0; look < LOOKS; look += 1) if (!(await nothingHappens())) return false;
  return true;
}

/** Whether nothing happens for a moment: whatever happens makes asynchronous resources, which Node counts. */
function nothingHappens(): Promise<boolean> {
  return new Promise((resolve) => {
    const before = made();
    setTimeout(() => {
      const isBusy = process.getActiveResourcesInfo().some((name) => REQUEST.test(name));
      resolve(!isBusy && made() - before === OWN);
    }, LOOK_MS);
  });
}

function made(): number {
  return new AsyncResource('idle').asyncId();
}
