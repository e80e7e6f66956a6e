import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { CronTimer } from './cron-timer.ts';

export interface RunnerOptions {
  readonly clock: Clock;
  readonly timer: (onTime: () => void) => CronTimer;
  /** One run. It must end when the signal is aborted; what it throws goes to `onError`. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onLag: (lag: Millis) => void;
  /** A time of the schedule that passed without a run of its own. */
  readonly onMissed: () => void;
  /** Triggered runs start at least this long after the start of the run before. */
  readonly triggerGap: Millis;
}

/** How late node-cron may be before the guard starts the run itself. */
const OVERDUE: Millis = 1_500;

/**
 * Runs something on its schedule and on demand, one at a time. Times that come while a run is going on are counted as missed
 * and never made up for: a burst would falsify the very timings it measures.
 */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #timer: CronTimer;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #startedAt: Millis = Number.NEGATIVE_INFINITY;
  #expected: EpochMs | null = null;
  #cancelTrigger: (() => void) | null = null;
  #cancelGuard: (() => void) | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#timer = options.timer(() => {
      this.#onTime();
    });
  }

  /** Runs at once, then on schedule. */
  start(): void {
    this.#timer.start();
    this.#arm();
    this.#begin();
  }

  /** Asks for a run soon: asked for a hundred times while one is going on, it runs once more. */
  trigger(): void {
    if (this.#cancelTrigger !== null || this.#stopping.signal.aborted) return;
    const { clock, triggerGap } = this.#options;
    this.#cancelTrigger = clock.after(Math.max(0, this.#startedAt + triggerGap - clock.elapsed()), () => {
      this.#cancelTrigger = null;
      if (this.#running === null) this.#begin();
      else
        void this.#running.then(() => {
          this.trigger();
        });
    });
  }

  nextRun(): EpochMs | null {
    return this.#timer.nextRun();
  }

  /** Aborts the run that is going on and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('Stopping'));
    this.#timer.stop();
    this.#cancelGuard?.();
    this.#cancelTrigger?.();
    await this.#running;
  }

  #begin(): void {
    this.#startedAt = this.#options.clock.elapsed();
    this.#running = this.#options
      .run(this.#stopping.signal)
      .catch(this.#options.onError)
      .finally(() => {
        this.#running = null;
      });
  }

  #onTime(): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, onLag, onMissed } = this.#options;
    if (this.#expected !== null) onLag(Math.max(0, clock.now() - this.#expected));
    this.#arm();
    if (this.#running === null) this.#begin();
    else onMissed();
  }

  /** The guard is monotonic: node-cron takes its waits from the wall clock and sleeps too long when that is set back. */
  #arm(): void {
    this.#cancelGuard?.();
    this.#expected = this.#timer.nextRun();
    if (this.#expected === null) return;
    const { clock, onMissed } = this.#options;
    this.#cancelGuard = clock.after(Math.max(0, this.#expected - clock.now()) + OVERDUE, () => {
      onMissed();
      this.#onTime();
    });
  }
}
