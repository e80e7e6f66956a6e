import type { EpochMs, Millis } from '../../src/core/clock.ts';

/**
 * Periodic timers with these intervals (stall watch, followed files, guards of the schedules, alerting) may fire late
 * together while nothing happens, as on a machine that coalesces timers. Every other timer fires exactly on time.
 */
const BEATS: ReadonlySet<Millis> = new Set([250, 500, 1_000, 2_000, 5_000]);
/** Maximum delay of these timers. */
const LATEST: Millis = 58_000;

/** The return value of `setTimeout`. */
class SimulatedTimer {
  readonly seq: number;
  readonly callback: () => void;
  readonly every: Millis | null;
  due: Millis;
  cancelled = false;
  readonly #delay: Millis;
  readonly #time: SimulatedTime;

  constructor(
    time: SimulatedTime,
    seq: number,
    plan: { readonly delay: Millis; readonly repeats: boolean; readonly callback: () => void },
  ) {
    this.seq = seq;
    this.callback = plan.callback;
    this.every = plan.repeats ? Math.max(1, plan.delay) : null;
    this.#delay = plan.delay;
    this.#time = time;
    this.due = time.elapsed() + plan.delay;
  }

  get isBeat(): boolean {
    return BEATS.has(this.#delay);
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    this.#time.cancel(this);
    this.due = this.#time.elapsed() + this.#delay;
    this.#time.arm(this);
    return this;
  }

  close(): this {
    this.#time.cancel(this);
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.seq;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The time of a whole process, which stands still until it is moved. Wall clock and monotonic clock are separate. */
export class SimulatedTime {
  readonly #timers: SimulatedTimer[] = [];
  #seq = 0;
  #elapsed: Millis = 0;
  /** Wall clock at `elapsed` 0, including all later adjustments. */
  #epoch: EpochMs;

  constructor(start: EpochMs) {
    this.#epoch = start;
  }

  now(): EpochMs {
    return Math.floor(this.#epoch + this.#elapsed);
  }

  elapsed(): Millis {
    return this.#elapsed;
  }

  set(by: Millis): void {
    this.#epoch += by;
  }

  /** Replaces `Date`, `performance.now` and the global timers. Node's own timers stay real. */
  install(): void {
    const now = (): EpochMs => this.now();
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
        this.#plan(Math.max(0, Number.isFinite(delay) ? delay : 0), repeats, () => {
          callback(...parts);
        });
    const clear = (timer: unknown): void => {
      if (timer instanceof SimulatedTimer) this.cancel(timer);
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
    return this.#timers[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Returns how far time may advance in one step while nothing happens. */
  nextStop(): Millis {
    const exact = this.#timers.find((timer) => !timer.isBeat)?.due ?? Number.POSITIVE_INFINITY;
    const beat = this.#timers.find((timer) => timer.isBeat)?.due ?? Number.POSITIVE_INFINITY;
    return Math.min(exact, beat + LATEST);
  }

  /** Advances and calls the timers that are due, once each. */
  moveTo(to: Millis): void {
    this.#elapsed = Math.max(this.#elapsed, to);
    const end = this.#timers.findIndex(({ due }) => due > this.#elapsed);
    for (const timer of this.#timers.splice(0, end === -1 ? this.#timers.length : end)) {
      if (timer.every !== null && !timer.cancelled) {
        timer.due = this.#elapsed + timer.every;
        this.arm(timer);
      }
      if (!timer.cancelled) timer.callback();
    }
  }

  arm(timer: SimulatedTimer): void {
    timer.cancelled = false;
    const index = this.#timers.findLastIndex(
      ({ due, seq }) => due < timer.due || (due === timer.due && seq < timer.seq),
    );
    this.#timers.splice(index + 1, 0, timer);
  }

  cancel(timer: SimulatedTimer): void {
    timer.cancelled = true;
    const index = this.#timers.indexOf(timer);
    if (index !== -1) this.#timers.splice(index, 1);
  }

  #plan(delay: Millis, repeats: boolean, callback: () => void): SimulatedTimer {
    this.#seq += 1;
    const timer = new SimulatedTimer(this, this.#seq, { delay, repeats, callback });
    this.arm(timer);
    return timer;
  }
}
