import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { INSTALLED_ENVIRONMENT } from '../installed-environment.ts';
import type { Order, Permission, ProductOptions, Report, SaidLine } from './protocol.ts';
import { Stillness } from './stillness.ts';

const PRODUCT = fileURLToPath(new URL('product.ts', import.meta.url));
/**
 * Something that is on its way between two processes arrives within this, in real milliseconds; on a busy machine
 * within some of them.
 */
const STRAGGLER_MS = 3;
const MOST_NAPS = 10;

/** What waits for a moment of simulated time. */
interface Hold {
  /** null: so long after the product said what time it is. */
  readonly at: Millis | null;
  readonly delay: Millis;
  readonly release: () => void;
}

type Done = Extract<Report, { kind: 'done' }>;

/** The one who keeps time: it tells the product's process how far it may live, and the peers what time it is. */
export class Conductor implements AsyncDisposable {
  readonly #start: EpochMs;
  readonly #stillness = new Stillness();
  readonly #onSaid: (line: SaidLine) => void;
  #holds: readonly Hold[] = [];
  #child: ChildProcess | null = null;
  #elapsed: Millis = 0;
  #waitedAt: Millis = -1;
  /** At that moment. */
  #naps = 0;
  /** Events that this process had handled when it last answered. */
  #handled = 0;
  #waiter: { readonly done: (report: Report) => void; readonly failed: (error: Error) => void } | null = null;
  /** Peers that are silent on purpose: what is not answered is no straggler. */
  readonly silences: Set<string> = new Set();
  /** Times that time went on although something was on its way and nobody was silent on purpose. */
  unexplained = 0;

  constructor(start: EpochMs, onSaid: (line: SaidLine) => void) {
    this.#start = start;
    this.#onSaid = onSaid;
  }

  /** True time: the product's own wall clock may be wrong. */
  now(): EpochMs {
    return this.#start + this.#elapsed;
  }

  elapsed(): Millis {
    return this.#elapsed;
  }

  /** Calls back at the next moment at which the product is at rest, or so much later. */
  hold(delay: Millis, release: () => void): void {
    this.#holds = [...this.#holds, { at: null, delay, release }];
  }

  async start(options: ProductOptions): Promise<void> {
    const child = fork(PRODUCT, [options.configFile, options.folder, String(options.start)], {
      cwd: options.folder,
      env: { ...INSTALLED_ENVIRONMENT, TZ: process.env['TZ'] },
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
    // What the product says is one event; with any other a peer has done something, and its answer is there.
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

  /** Gives what is on its way some moments of real time, at each moment of simulated time. */
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
