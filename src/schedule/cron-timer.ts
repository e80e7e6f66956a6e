import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import cron from 'node-cron';
import type { ScheduledTask } from 'node-cron';
import type { EpochMs, Millis, Clock } from '../core/clock.ts';

/** A schedule that calls back at each of its times. */
export interface CronTimer {
  start(): void;
  /** Takes its waits again from the wall clock, after that was set. */
  restart(): void;
  /** For good. */
  stop(): void;
  /** When the next call is due; null when none is in sight. */
  nextRun(): EpochMs | null;
}

export interface CronListener {
  /** @param slot the time that was meant, which may be a while ago */
  readonly onTime: (slot: EpochMs) => void;
  /** A time went by while this process stalled: only the last of several is called for. */
  readonly onMissed: () => void;
}

/**
 * Cron on node-cron, always in UTC: given a zone with daylight saving, node-cron 4.6 falls silent for an hour in the
 * autumn night. In another zone it is triggered each minute, at the seconds of the expression, and croner tells whether
 * that is one of its times. An hour that is skipped in spring is made up for at its end; a fixed hour that comes twice
 * in autumn counts once, as in Vixie cron, while expressions for every hour go on through both.
 * @throws {RangeError} when the expression is not valid
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
    // A late call is better than none: the runner counts it. The default drops what is more than a second late.
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
    nextRun: () => (zoned === null ? (task.getNextRun()?.getTime() ?? null) : zoned.next()),
  };
}

/**
 * The times of an expression in a time zone. As with node-cron, day of the month and day of the week must both match.
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

/** The shortest time between two of the next calls of an expression. */
export function periodOf(expression: string): Millis {
  const times = unstarted(expression)
    .getNextRuns(6)
    .map((date) => date.getTime());
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}

/** Knows the times of an expression but is never started. node-cron would keep it for ever if it were not destroyed. */
function unstarted(expression: string): ScheduledTask {
  const task = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
  void task.destroy();
  return task;
}

/** At the same seconds of every minute. */
function eachMinute(expression: string): string {
  const fields = expression.trim().split(/\s+/u);
  return `${fields.length === 6 ? (fields[0] ?? '0') : '0'} * * * * *`;
}

export interface Schedule {
  readonly expression: string;
  readonly timezone: string;
  /** What sets this daemon apart from the others: its site. */
  readonly seed: string;
}

const LARGEST_SHARE = 0.1;
const LONGEST: Millis = 5_000;

/**
 * A cron timer that calls a little after each time of its expression. Many sites share the default schedule and the
 * vendor's server: each keeps an offset of its own, so that they do not all come in the same instant, and always the
 * same one, so that the distance from run to run does not change.
 * @throws {RangeError} when the expression or the zone is not valid
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
  };
}

/** Up to a tenth of the period, and to 5 s; the same for the same seed. @internal */
export function offsetOf(seed: string, period: Millis): Millis {
  const share = createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(share * Math.min(LONGEST, period * LARGEST_SHARE));
}
