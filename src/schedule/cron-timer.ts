import cron from 'node-cron';

import type { Clock, EpochMs } from '../core/clock.ts';
import { createWallClock } from './wall-clock.ts';

/** A schedule that calls back at each of its times. */
export interface CronTimer {
  start(): void;
  stop(): void;
  /** When the next call is due; null when the expression never matches again. */
  nextRun(): EpochMs | null;
}

/**
 * Cron on node-cron, always in UTC: given a zone with daylight saving, node-cron 4.6 falls silent for an hour in the autumn
 * night. An expression in another zone is therefore looked at once a minute, at its seconds, against the wall clock of that zone.
 * An hour that is skipped in spring is made up for at its end; a fixed hour that comes twice in autumn counts once, as in
 * Vixie cron, while expressions for every hour go on through both.
 * @throws {RangeError} when the expression or the zone is not valid
 */
export function createCronTimer(expression: string, timezone: string, clock: Clock, onTime: () => void): CronTimer {
  if (!cron.validate(expression))
    throw new RangeError(`Cannot schedule "${expression}": expected a cron expression such as "*/30 * * * * *"`);
  const due = timezone === 'UTC' ? (): boolean => true : createDue(expression, timezone);
  const task = cron.createTask(
    timezone === 'UTC' ? expression : `${secondsOf(expression)} * * * * *`,
    () => {
      if (due(clock.now())) onTime();
    },
    // A late call is better than none: the runner counts it. The default drops what is more than a second late.
    { timezone: 'UTC', missedExecutionTolerance: 86_400_000, suppressMissedWarning: true },
  );
  return {
    start: () => void task.start(),
    stop: () => void task.destroy(),
    nextRun: () => (timezone === 'UTC' ? (task.getNextRun()?.getTime() ?? null) : nextDue(due, task.getNextRuns(120))),
  };
}

/** Whether an expression meant in `timezone` is due in the minute of `at`. */
export function createDue(expression: string, timezone: string): (at: EpochMs) => boolean {
  const wall = createWallClock(timezone);
  // Never started: only its matcher is used, on wall-clock fields dressed as UTC.
  const matcher = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
  const matches = (reading: EpochMs): boolean => matcher.match(new Date(reading));
  const everyHour = cron.parse(expression).hour.length === 24;
  return (at) => {
    if (everyHour) return matches(wall.read(at));
    if (wall.skippedBefore(at).some(matches)) return true;
    return !wall.isRepeat(at) && matches(wall.read(at));
  };
}

function nextDue(due: (at: EpochMs) => boolean, candidates: readonly Date[]): EpochMs | null {
  return candidates.find((candidate) => due(candidate.getTime()))?.getTime() ?? null;
}

function secondsOf(expression: string): string {
  const fields = expression.trim().split(/\s+/u);
  return fields.length === 6 ? (fields[0] ?? '0') : '0';
}
