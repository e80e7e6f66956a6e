import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import cron, { type ScheduledTask } from 'node-cron';
import type { EpochMs, Millis, Clock } from '../core/clock.ts';

export interface CronTimer {
  start(): void;
  /** Recalculates the next times. Must be called after the wall clock has been set. */
  restart(): void;
  stop(): void;
  /** @param after the time before the run; by default, the current time */
  nextRun(after?: EpochMs): EpochMs | null;
  /** The time at which node-cron triggers next, excluding the offset after which the listener is called. */
  nextWake(): EpochMs | null;
}

export interface CronListener {
  /** `slot` is the scheduled time, which is in the past if the call is late. */
  readonly onTime: (slot: EpochMs) => void;
  /**
   * Called if a scheduled time passed while this process stalled. Called only once, even if several times were missed.
   */
  readonly onMissed: () => void;
}

/**
 * node-cron always runs in UTC, because version 4.6 stops for an hour at the end of daylight-saving time. For other
 * time zones, node-cron triggers every minute, at the expression's seconds, and croner decides whether the time is
 * scheduled. Runs in the hour that is skipped in spring take place at the end of that hour. A fixed hour that occurs
 * twice in autumn is used only once, as in Vixie cron. Expressions for every hour run in both hours.
 * @throws {RangeError} if the expression is invalid
 */
export function createCronTimer(expression: string, timezone: string, { onTime, onMissed }: CronListener): CronTimer {
  if (!cron.validate(expression))
    throw new RangeError(`Cannot schedule "${expression}": expected a cron expression such as "*/30 * * * * *"`);
  const times = zonedTimes(expression, timezone);
  const zoned = timezone === 'UTC' ? null : times;
  const task = cron.createTask(
    zoned === null ? expression : eachMinute(expression),
    ({ date }) => {
      if (zoned?.isDue(date.getTime()) ?? true) onTime(date.getTime());
    },
    // By default, node-cron drops calls that are more than a second late, but the runner must count them as missed.
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
    nextRun: (after) => (zoned === null && after === undefined ? nextWake() : times.next(after)),
    nextWake,
  };

  function nextWake(): EpochMs | null {
    return task.getNextRun()?.getTime() ?? null;
  }
}

/** As in node-cron, both the day of the month and the day of the week must match. */
export function zonedTimes(expression: string, timezone: string): ZonedTimes {
  const times = new Cron(expression, { timezone, domAndDow: true, fixedTimeRule: 'no-wildcard' });
  return {
    isDue: (at) => times.nextRun(new Date(at - 1))?.getTime() === at,
    next: (after) => times.nextRun(after === undefined ? undefined : new Date(after))?.getTime() ?? null,
  };
}

interface ZonedTimes {
  readonly isDue: (at: EpochMs) => boolean;
  /** @param after the time before the next one; by default, the current time */
  readonly next: (after?: EpochMs) => EpochMs | null;
}

/** Returns the shortest interval between the next times that an expression fires. */
export function periodOf(expression: string): Millis {
  const times = unstarted(expression)
    .getNextRuns(6)
    .map((date) => date.getTime());
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}

/**
 * The task only calculates times. It is destroyed immediately, because node-cron keeps all tasks in memory until they
 * are destroyed.
 */
function unstarted(expression: string): ScheduledTask {
  const task = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
  void task.destroy();
  return task;
}

function eachMinute(expression: string): string {
  const fields = expression.trim().split(/\s+/u);
  return `${fields.length === 6 ? (fields[0] ?? '0') : '0'} * * * * *`;
}

export interface Schedule {
  readonly expression: string;
  readonly timezone: string;
  /** The site's name, which gives each daemon a different offset. */
  readonly seed: string;
}

const LARGEST_SHARE = 0.1;
const LONGEST: Millis = 5_000;

/**
 * Calls the listener shortly after each time that matches the expression. Each site has a different offset, because
 * sites with the default schedule would otherwise connect to Fortinet's server simultaneously. The offset is constant,
 * so that the interval between runs does not vary.
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
    nextRun: (after) => {
      const next = timer.nextRun(after === undefined ? undefined : after - offset);
      return (after === undefined ? waiting?.at : null) ?? (next === null ? null : next + offset);
    },
    nextWake: () => timer.nextWake(),
  };
}

export function offsetOf(seed: string, period: Millis): Millis {
  const share = createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(share * Math.min(LONGEST, period * LARGEST_SHARE));
}
