import cron, { type ScheduledTask } from 'node-cron';

import type { EpochMs, Millis } from '../core/clock.ts';
import { createWallClock } from './wall-clock.ts';

/** A schedule that calls back at each of its times. */
export interface CronTimer {
  start(): void;
  /** Takes its waits anew from the wall clock, after that was set. */
  restart(): void;
  /** For good. */
  stop(): void;
  /** When the next call is due; null when none is in sight. */
  nextRun(): EpochMs | null;
}

export interface CronListener {
  /** @param slot the time that was meant, which may be a while ago */
  readonly onTime: (slot: EpochMs) => void;
  /** A time went by while this process stood still: only the last of several is called for. */
  readonly onMissed: () => void;
}

/** Looked through for the next time of an expression in a zone: a week and a day. */
const HORIZON_MINUTES = 8 * 24 * 60;
const MINUTE: Millis = 60_000;

/**
 * Cron on node-cron, always in UTC: given a zone with daylight saving, node-cron 4.6 falls silent for an hour in the
 * autumn night. An expression in another zone is therefore looked at once a minute, at its seconds, against the wall
 * clock of that zone. An hour that is skipped in spring is made up for at its end; a fixed hour that comes twice in
 * autumn counts once, as in Vixie cron, while expressions for every hour go on through both.
 * @throws {RangeError} when the expression or the zone is not valid
 */
export function createCronTimer(expression: string, timezone: string, { onTime, onMissed }: CronListener): CronTimer {
  if (!cron.validate(expression))
    throw new RangeError(`Cannot schedule "${expression}": expected a cron expression such as "*/30 * * * * *"`);
  const due = timezone === 'UTC' ? null : createDue(expression, timezone);
  const seconds = cron.parse(expression).second.length;
  const task = cron.createTask(
    due === null ? expression : eachMinute(expression),
    ({ date }) => {
      if (due?.(date.getTime()) ?? true) onTime(date.getTime());
    },
    // A late call is better than none: the runner counts it. The default drops what is more than a second late.
    { timezone: 'UTC', missedExecutionTolerance: 86_400_000, suppressMissedWarning: true },
  );
  task.on('execution:missed', ({ date }) => {
    if (due?.(date.getTime()) ?? true) onMissed();
  });
  return {
    start: () => void task.start(),
    restart: () => {
      void task.stop();
      void task.start();
    },
    stop: () => void task.destroy(),
    nextRun: () => (due === null ? (task.getNextRun()?.getTime() ?? null) : nextDue(due, task.getNextRuns(seconds))),
  };
}

/** Whether an expression meant in `timezone` is due in the minute of `at`. */
export function createDue(expression: string, timezone: string): (at: EpochMs) => boolean {
  const wall = createWallClock(timezone);
  const matcher = unstarted(expression);
  // On wall-clock fields dressed as UTC.
  const matches = (reading: EpochMs): boolean => matcher.match(new Date(reading));
  const everyHour = cron.parse(expression).hour.length === 24;
  return (at) => {
    if (everyHour) return matches(wall.read(at));
    if (wall.skippedBefore(at).some(matches)) return true;
    return matches(wall.read(at)) && !wall.isRepeat(at);
  };
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

/** @param candidates the next times at which it is looked, of one minute */
function nextDue(due: (at: EpochMs) => boolean, candidates: readonly Date[]): EpochMs | null {
  for (let minute = 0; minute < HORIZON_MINUTES; minute += 1) {
    const found = candidates.map((date) => date.getTime() + minute * MINUTE).find(due);
    if (found !== undefined) return found;
  }
  return null;
}

/** At the same seconds of every minute. */
function eachMinute(expression: string): string {
  const fields = expression.trim().split(/\s+/u);
  return `${fields.length === 6 ? (fields[0] ?? '0') : '0'} * * * * *`;
}
