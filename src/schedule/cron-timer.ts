import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import cron, { type ScheduledTask } from 'node-cron';
import type { EpochMs, Millis, Clock } from '../core/clock.ts';

/** A timer that calls back at each time of a schedule. */
export interface CronTimer {
  start(): void;
  /** Calculates the next times again after the wall clock was set. */
  restart(): void;
  /** Stops the timer permanently. */
  stop(): void;
  /** Returns the time of the next call, or null if there is none. */
  nextRun(): EpochMs | null;
  /** Returns the next scheduled time of node-cron, which is earlier than the call if that is delayed. */
  nextWake(): EpochMs | null;
}

export interface CronListener {
  /** @param slot the scheduled time, which may be some time ago */
  readonly onTime: (slot: EpochMs) => void;
  /**
   * Called when a scheduled time passed while this process stalled. After several missed times, the function is called
   * only for the last time.
   */
  readonly onMissed: () => void;
}

/**
 * Creates a timer based on node-cron. The timer always uses UTC, because with a daylight-saving time zone, node-cron
 * 4.6 stops for an hour in the autumn night. For other time zones, it is triggered each minute, at the seconds of the
 * expression, and croner decides whether this is a scheduled time. Runs in an hour that is skipped in spring are made
 * up for at its end. A fixed hour that occurs twice in autumn counts once, as in Vixie cron. Expressions for every hour
 * run in both hours.
 * @throws {RangeError} if the expression is invalid
 */
export function createCronTimer(expression: string, timezone: string, { onTime, onMissed }: CronListener): CronTimer {
  if (!cron.validate(expression))
    throw new RangeError(`Cannot schedule "${expression}": expected a cron expression such as "*/30 * * * * *"`);
  const zoned = timezone === 'UTC' ? null : zonedTimes(expression, timezone);
  const task = cron.createTask(
    zoned === null ? expression : eachMinute(expression),
    ({ date }) => {
      if (zoned?.isDue(date.getTime()) ?? true) onTime(date.getTime());
    },
    // A late call is better than none, and the runner counts it. By default, node-cron drops calls that are over a
    // second late.
    { timezone: 'UTC', missedExecutionTolerance: 86_400_000, suppressMissedWarning: true },
  );
  task.on('execution:missed', ({ date }) => {
    if (zoned?.isDue(date.getTime()) ?? true) onMissed();
  });
  return {
    start: () => void task.start(),
    restart: () => {
      void task.stop();
      void task.start();
    },
    stop: () => void task.destroy(),
    nextRun: () => (zoned === null ? nextWake() : zoned.next()),
    nextWake,
  };

  function nextWake(): EpochMs | null {
    return task.getNextRun()?.getTime() ?? null;
  }
}

/**
 * Returns the times of an expression in a time zone. As in node-cron, both the day of the month and the day of the week
 * must match.
 * @internal
 */
export function zonedTimes(expression: string, timezone: string): ZonedTimes {
  const times = new Cron(expression, { timezone, domAndDow: true, fixedTimeRule: 'no-wildcard' });
  return {
    isDue: (at) => times.nextRun(new Date(at - 1))?.getTime() === at,
    next: () => times.nextRun()?.getTime() ?? null,
  };
}

interface ZonedTimes {
  readonly isDue: (at: EpochMs) => boolean;
  readonly next: () => EpochMs | null;
}

/** Returns the shortest interval between the next calls of an expression. */
export function periodOf(expression: string): Millis {
  const times = unstarted(expression)
    .getNextRuns(6)
    .map((date) => date.getTime());
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}

/**
 * Creates a task that is never started, to calculate the times of an expression. If the task is not destroyed,
 * node-cron keeps it forever.
 */
function unstarted(expression: string): ScheduledTask {
  const task = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
  void task.destroy();
  return task;
}

/** Returns an expression for the same seconds of every minute. */
function eachMinute(expression: string): string {
  const fields = expression.trim().split(/\s+/u);
  return `${fields.length === 6 ? (fields[0] ?? '0') : '0'} * * * * *`;
}

export interface Schedule {
  readonly expression: string;
  readonly timezone: string;
  /** A text that differs between daemons, which is the site. */
  readonly seed: string;
}

const LARGEST_SHARE = 0.1;
const LONGEST: Millis = 5_000;

/**
 * Creates a cron timer that calls shortly after each time of its expression. Many sites share the default schedule and
 * Fortinet's server, so each site uses a different offset to avoid simultaneous runs. The offset is constant, so that
 * the interval between runs does not change.
 * @throws {RangeError} if the expression or the time zone is invalid
 */
export function createSpreadTimer(
  { expression, timezone, seed }: Schedule,
  clock: Clock,
  { onTime, onMissed }: CronListener,
): CronTimer {
  let waiting: { readonly at: EpochMs; readonly cancel: () => void } | null = null;
  const timer = createCronTimer(expression, timezone, {
    onMissed,
    onTime: (slot) => {
      if (drop()) onMissed();
      const at = slot + offset;
      const cancel = clock.after(Math.max(0, at - clock.now()), () => {
        waiting = null;
        onTime(at);
      });
      waiting = { at, cancel };
    },
  });
  const offset = offsetOf(`${seed} ${expression}`, periodOf(expression));

  function drop(): boolean {
    const dropped = waiting !== null;
    waiting?.cancel();
    waiting = null;
    return dropped;
  }

  return {
    start: () => timer.start(),
    restart: () => {
      drop();
      timer.restart();
    },
    stop: () => {
      drop();
      timer.stop();
    },
    nextRun: () => {
      const next = timer.nextRun();
      return waiting?.at ?? (next === null ? null : next + offset);
    },
    nextWake: () => timer.nextWake(),
  };
}

/**
 * Returns an offset of up to a tenth of the period, at most 5 s. The offset is the same for the same seed. @internal
 */
export function offsetOf(seed: string, period: Millis): Millis {
  const share = createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(share * Math.min(LONGEST, period * LARGEST_SHARE));
}
