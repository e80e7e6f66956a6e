import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { unitEnvironment } from '../../bench/build.ts';
import type { Order, Permission, ProductOptions, Report, SaidLine } from './protocol.ts';
import { Stillness } from './stillness.ts';

const PRODUCT = fileURLToPath(new URL('product.ts', import.meta.url));
/**
 * Data between two processes arrives within this time, in real milliseconds; on a busy machine, within several of
 * these intervals.
 */
const STRAGGLER_MS = 3;
const MOST_NAPS = 10;

/** An action that waits for a moment of simulated time. */
interface Hold {
  /** null: this long after the product has reported its time. */
  readonly at: Millis | null;
  readonly delay: Millis;
  readonly release: () => void;
}

type Done = Extract<Report, { kind: 'done' }>;

/** Keeps the time: sets how far the product's process may advance, and the time of the peers. */
export class Conductor implements AsyncDisposable {
  readonly #start: EpochMs;
  readonly #stillness = new Stillness();
  readonly #onSaid: (line: SaidLine) => void;
  #holds: readonly Hold[] = [];
  #child: ChildProcess | null = null;
  #elapsed: Millis = 0;
  #waitedAt: Millis = -1;
  /** Number of waits at that moment. */
  #naps = 0;
  /** Number of events that this process had handled when it last answered. */
  #handled = 0;
  #waiter: { readonly done: (report: Report) => void; readonly failed: (error: Error) => void } | null = null;
  /** Peers that are silent on purpose. Missing answers from them are not waited for. */
  readonly silences: Set<string> = new Set();
  /** Number of times that time advanced although data was in transit and no peer was silent on purpose. */
  unexplained = 0;

  constructor(start: EpochMs, onSaid: (line: SaidLine) => void) {
    this.#start = start;
    this.#onSaid = onSaid;
  }

  /** True time. The product's own wall clock may be wrong. */
  now(): EpochMs {
    return this.#start + this.#elapsed;
  }

  elapsed(): Millis {
    return this.#elapsed;
  }

  /** Calls `release` at the next moment at which the product is idle, or after `delay` from then. */
  hold(delay: Millis, release: () => void): void {
    this.#holds = [...this.#holds, { at: null, delay, release }];
  }

  async start(options: ProductOptions): Promise<void> {
    const child = fork(PRODUCT, [options.configFile, options.folder, String(options.start)], {
      cwd: options.folder,
      env: { ...unitEnvironment(), TZ: process.env['TZ'] },
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    });
    this.#child = child;
    child.on('message', (report: Report) => void this.#take(report));
    child.on('exit', (code, signal) => {
      this.#waiter?.failed(
        new Error(`The product's process ended: exit code ${String(code)}, signal ${String(signal)}`),
      );
    });
    await this.#answer();
  }

  async order(order: Order): Promise<Done> {
    const answer = this.#answer();
    this.#child?.send(order);
    const report = await answer;
    if (report.kind !== 'done') throw new Error(`Expected "done", got "${report.kind}"`);
    this.#elapsed = report.at;
    for (const line of report.said) this.#onSaid(line);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    this.#waiter = null;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  #answer(): Promise<Report> {
    return new Promise((done, failed) => {
      this.#waiter = { done, failed };
    });
  }

  async #take(report: Report): Promise<void> {
    if (report.kind === 'waiting') {
      this.#elapsed = report.at;
      const permission = await this.#permit(report);
      this.#handled = this.#stillness.events();
      this.#child?.send(permission);
      return;
    }
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.done(report);
  }

  async #permit({ at, next }: Extract<Report, { kind: 'waiting' }>): Promise<Permission> {
    await this.#stillness.reached();
    // The product's message is one event. Any further event means that a peer has acted and its answer has arrived.
    if (this.#stillness.events() - this.#handled > 1) return { kind: 'again' };
    const timed = this.#holds.map((hold) => ({ ...hold, at: hold.at ?? at + hold.delay }));
    this.#holds = timed;
    const due = timed.filter((hold) => hold.at <= at);
    if (due.length > 0) {
      this.#holds = timed.filter((hold) => hold.at > at);
      for (const { release } of due) release();
      await this.#stillness.reached();
      return { kind: 'again' };
    }
    if (timed.length === 0 && this.silences.size === 0 && (await this.#awaitStraggler(at))) return { kind: 'again' };
    return { kind: 'go', until: Math.min(next, ...timed.map((hold) => hold.at)) };
  }

  /** Waits a few real milliseconds for data in transit, at each moment of simulated time. */
  async #awaitStraggler(at: Millis): Promise<boolean> {
    if (this.#waitedAt !== at) this.#naps = 0;
    this.#waitedAt = at;
    if (this.#naps === MOST_NAPS) {
      this.unexplained += 1;
      return false;
    }
    this.#naps += 1;
    await new Promise((resolve) => {
      setTimeout(resolve, STRAGGLER_MS);
    });
    return true;
  }
}
