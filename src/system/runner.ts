import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { IDLE_BEAT, nextBeat } from './clock.ts';
import type { CronListener, CronTimer } from './cron-timer.ts';

export interface RunnerOptions {
  readonly clock: Clock;
  readonly timer: (listener: CronListener) => CronTimer;
  /** Must finish when the signal is aborted. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onLag: (lag: Millis) => void;
  /** Called when a scheduled run was skipped, or when the guard had to start it. */
  readonly onMissed: () => void;
  /** Minimum time from the start of a run to the start of the next triggered run. */
  readonly triggerGap: Millis;
}

/** If a scheduled run is delayed by more than this, the guard starts it. */
const OVERDUE: Millis = 1_500;
/**
 * The guard compares the clocks this long before node-cron's next call. If the wall clock was set forward, node-cron
 * would otherwise process every skipped time, which blocks the process. If a run were due every second and an hour were
 * skipped, this would take several seconds.
 */
const AHEAD: Millis = 50;
/**
 * Limits for detecting that the wall clock was set. The wall clock and the monotonic clock must differ by more than
 * this time and by more than this share of the time since the last check. The share is needed because a clock that
 * chrony slews runs up to 8.3 % faster or slower (`maxslewrate`).
 */
const STEP: Millis = 500;
const SLEWED = 0.1;

const TRIGGERED = { most: 10, within: 300_000 };

interface Expected {
  readonly at: EpochMs;
  readonly elapsed: Millis;
}

/**
 * Runs a task on schedule and on demand, one run at a time. Scheduled times during a run are counted as missed. Missed
 * runs are not made up later, because runs in quick succession would distort each other's measured times.
 */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #timer: CronTimer;
  readonly #stopping = new AbortController();
  #hasStarted = false;
  #running: Promise<void> | null = null;
  #startedAt: Millis = Number.NEGATIVE_INFINITY;
  #expected: Expected | null = null;
  #lastReading: ClockReading;
  #wanted = false;
  /** Start times of recent triggered runs, oldest first. */
  #triggered: readonly Millis[] = [];
  #cancelTrigger: (() => void) | null = null;
  #cancelGuard: (() => void) | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#lastReading = readClocks(options.clock);
    this.#timer = options.timer({
      onTime: (slot) => this.#onTime(slot),
      onMissed: options.onMissed,
    });
  }

  /** Runs immediately, then on schedule. */
  start(): void {
    if (this.#hasStarted || this.#stopping.signal.aborted) return;
    this.#hasStarted = true;
    this.#timer.start();
    this.#lastReading = readClocks(this.#options.clock);
    this.#expect();
    this.#begin();
  }

  /**
   * Requests an early run. Any number of requests during a run trigger only one further run. After many requests in a
   * short time, the run is delayed. If a scheduled run starts first, it replaces the requested run. Requests before
   * `start` have no effect, because `start` triggers a run anyway.
   */
  trigger(): void {
    if (!this.#hasStarted || this.#wanted || this.#stopping.signal.aborted) return;
    this.#wanted = true;
    if (this.#running === null) this.#beginSoon();
  }

  /** @param after the time before the run; by default, the current time */
  nextRun(after?: EpochMs): EpochMs | null {
    if (this.#stopping.signal.aborted) return null;
    return after === undefined ? (this.#expected?.at ?? null) : this.#timer.nextRun(after);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('Stopping'));
    this.#timer.stop();
    this.#cancelGuard?.();
    this.#cancelTrigger?.();
    await this.#running;
  }

  #begin(): void {
    this.#cancelTrigger?.();
    this.#cancelTrigger = null;
    this.#wanted = false;
    this.#startedAt = this.#options.clock.elapsed();
    this.#running = this.#options
      .run(this.#stopping.signal)
      .catch(this.#options.onError)
      .finally(() => {
        this.#running = null;
        if (this.#wanted) this.#beginSoon();
      });
  }

  #beginSoon(): void {
    if (this.#stopping.signal.aborted) return;
    const { clock } = this.#options;
    this.#cancelTrigger = clock.after(Math.max(0, this.#soonest() - clock.elapsed()), () => {
      this.#triggered = [...this.#triggered, clock.elapsed()].slice(-TRIGGERED.most);
      this.#begin();
    });
  }

  #soonest(): Millis {
    const [oldest = Number.NEGATIVE_INFINITY] = this.#triggered.length < TRIGGERED.most ? [] : this.#triggered;
    return Math.max(this.#startedAt + this.#options.triggerGap, oldest + TRIGGERED.within);
  }

  #onTime(slot: EpochMs): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, onLag, onMissed } = this.#options;
    this.#expect();
    if (this.#running !== null) {
      onMissed();
      return;
    }
    onLag(Math.max(0, clock.now() - slot));
    this.#begin();
  }

  #expect(): void {
    const { clock } = this.#options;
    const at = this.#timer.nextRun();
    this.#expected = at === null ? null : { at, elapsed: clock.elapsed() + Math.max(0, at - clock.now()) };
    this.#guard();
  }

  /** Runs `#check` shortly before and after each scheduled time, and on each idle beat. */
  #guard(): void {
    const { clock } = this.#options;
    this.#cancelGuard?.();
    const now = clock.elapsed();
    const late = (this.#expected?.elapsed ?? Number.POSITIVE_INFINITY) + OVERDUE;
    const early = (this.#timer.nextWake() ?? Number.POSITIVE_INFINITY) - clock.now() + now - AHEAD;
    const next = Math.min(nextBeat(now, IDLE_BEAT), ...[early, late].filter((at) => at > now));
    this.#cancelGuard = clock.after(Math.ceil(next - now), () => {
      this.#guard();
      this.#check();
    });
  }

  /**
   * Detects changes to the wall clock, because node-cron depends on it. If the wall clock is set back, node-cron waits
   * too long. If the wall clock is set forward, node-cron runs once for every skipped time.
   */
  #check(): void {
    const { clock, onMissed } = this.#options;
    const before = this.#lastReading;
    this.#lastReading = readClocks(clock);
    const shift = Math.abs(this.#lastReading.difference - before.difference);
    const wasSet = shift > STEP + SLEWED * (this.#lastReading.elapsed - before.elapsed);
    const expected = this.#expected;
    const isOverdue =
      expected !== null && (clock.elapsed() >= expected.elapsed + OVERDUE || (wasSet && clock.now() > expected.at));
    if (!wasSet && !isOverdue) return;
    this.#timer.restart();
    this.#expect();
    if (!isOverdue) return;
    onMissed();
    if (this.#running === null) this.#begin();
  }
}

interface ClockReading {
  readonly elapsed: Millis;
  /** Wall-clock time minus monotonic time. */
  readonly difference: Millis;
}

function readClocks(clock: Clock): ClockReading {
  const elapsed = clock.elapsed();
  return { elapsed, difference: clock.now() - elapsed };
}
