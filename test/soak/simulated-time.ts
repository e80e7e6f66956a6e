import type { EpochMs, Millis } from '../../src/core/clock.ts';

/**
 * Periodic timers with these intervals (stall watch, followed files, guards of the schedules, alerting) may fire late
 * together while nothing happens, as on a machine that coalesces timers. Every other timer fires exactly on time.
 */
const BEATS: ReadonlySet<Millis> = new Set([250, 500, 1_000, 2_000, 5_000]);
/** Maximum delay of these timers. */
const LATEST: Millis = 58_000;

/** The return value of `setTimeout`: what the product and its libraries use of it. */
interface SimulatedTimer {
  readonly callback: () => void;
  readonly delay: Millis;
  readonly repeats: boolean;
  due: Millis;
  ref(): SimulatedTimer;
  unref(): SimulatedTimer;
  refresh(): SimulatedTimer;
}

/** The time of a whole process, which stands still until it is moved. Wall clock and monotonic clock are separate. */
export class SimulatedTime {
  /** By time, and those of the same time in the order in which they were set. */
  readonly #timers: SimulatedTimer[] = [];
  #elapsed: Millis = 0;
  /** Wall clock at `elapsed` 0, including all later adjustments. */
  #epoch: EpochMs;

  constructor(start: EpochMs) {
    this.#epoch = start;
  }

  elapsed(): Millis {
    return this.#elapsed;
  }

  set(by: Millis): void {
    this.#epoch += by;
  }

  /** Replaces `Date`, `performance.now` and the global timers. Node's own timers stay real. */
  install(): void {
    const now = (): EpochMs => Math.floor(this.#epoch + this.#elapsed);
    const RealDate = Date;
    class SimulatedDate extends RealDate {
      constructor(...parts: readonly [] | readonly [number | string | Date]) {
        if (parts.length === 0) super(now());
        else super(...parts);
      }

      static override now(): EpochMs {
        return now();
      }
    }
    const schedule =
      (repeats: boolean) =>
      (callback: (...parts: readonly unknown[]) => void, delay = 0, ...parts: readonly unknown[]): SimulatedTimer =>
        this.#plan(Math.max(repeats ? 1 : 0, Number.isFinite(delay) ? delay : 0), repeats, () => {
          callback(...parts);
        });
    const clear = (timer: SimulatedTimer | undefined | null): void => {
      this.#cancel(timer);
    };
    Object.defineProperty(performance, 'now', { value: () => this.elapsed() });
    Object.assign(globalThis, {
      Date: SimulatedDate,
      setTimeout: schedule(false),
      setInterval: schedule(true),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }

  /** Returns the time of the next timer, without coalescing. */
  nextDue(): Millis {
    return this.#timers[0]?.due ?? Infinity;
  }

  /** Returns how far time may advance in one step while nothing happens. */
  nextStop(): Millis {
    const next = (isBeat: boolean): Millis =>
      this.#timers.find(({ delay }) => BEATS.has(delay) === isBeat)?.due ?? Infinity;
    return Math.min(next(false), next(true) + LATEST);
  }

  /** Advances and calls the timers that are due, once each. */
  moveTo(to: Millis): void {
    this.#elapsed = Math.max(this.#elapsed, to);
    for (const timer of this.#timers.filter(({ due }) => due <= this.#elapsed)) {
      // Another of them may have refreshed or cancelled it.
      if (timer.due > this.#elapsed || !this.#cancel(timer)) continue;
      if (timer.repeats) this.#arm(timer);
      timer.callback();
    }
  }

  #plan(delay: Millis, repeats: boolean, callback: () => void): SimulatedTimer {
    const timer: SimulatedTimer = {
      callback,
      delay,
      repeats,
      due: 0,
      ref: () => timer,
      unref: () => timer,
      refresh: () => {
        this.#cancel(timer);
        return this.#arm(timer);
      },
    };
    return this.#arm(timer);
  }

  #arm(timer: SimulatedTimer): SimulatedTimer {
    timer.due = this.#elapsed + timer.delay;
    this.#timers.splice(this.#timers.findLastIndex(({ due }) => due <= timer.due) + 1, 0, timer);
    return timer;
  }

  /** Reports whether it was waiting. */
  #cancel(timer: SimulatedTimer | undefined | null): boolean {
    const index = this.#timers.findIndex((one) => one === timer);
    if (index !== -1) this.#timers.splice(index, 1);
    return index !== -1;
  }
}
