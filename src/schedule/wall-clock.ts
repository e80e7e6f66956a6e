import type { EpochMs, Millis } from '../core/clock.ts';

const MINUTE: Millis = 60_000;
/** No zone has changed its offset by more than this at once. */
const LONGEST_REPEAT: Millis = 3 * 60 * MINUTE;

/** Local time of one zone, as instants whose UTC fields read like the clock on its wall. */
export interface WallClock {
  /** What the wall shows at `at`. */
  read(at: EpochMs): EpochMs;
  /** Minutes that the wall skipped on its way to `at` (the spring night), oldest first; empty on ordinary minutes. */
  skippedBefore(at: EpochMs): readonly EpochMs[];
  /** True in the second of two passes through the same hour (the autumn night). */
  isRepeat(at: EpochMs): boolean;
}

/** @throws {RangeError} when `zone` is no IANA time zone */
export function createWallClock(zone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  function read(at: EpochMs): EpochMs {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  }
  function offset(at: EpochMs): Millis {
    return read(at) - Math.floor(at / 1000) * 1000;
  }
  return {
    read,
    skippedBefore: (at) => {
      const jump = offset(at) - offset(at - MINUTE);
      return Array.from({ length: Math.max(0, jump / MINUTE) }, (_, index) => read(at) - jump + index * MINUTE);
    },
    isRepeat: (at) => {
      const back = offset(at - LONGEST_REPEAT) - offset(at);
      return back > 0 && read(at - back) === read(at);
    },
  };
}
