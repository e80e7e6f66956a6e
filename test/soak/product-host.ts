import { hostname } from 'node:os';

import { pino } from 'pino';

import { Daemon } from '../../src/runtime/daemon.ts';
import { loadWith } from '../../src/cli/terminal.ts';
import { localFiles } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { Millis } from '../../src/core/clock.ts';
import type { Memory, Order, Permission, ProductOptions, Report, SaidLine } from './protocol.ts';
import type { SimulatedTime } from './simulated-time.ts';
import { openSockets, Stillness } from './stillness.ts';

/** The listener for log lines. */
const LISTENING_UDP = 1;

/**
 * Runs the daemon as `ftm-watch run` does and controls its time: as soon as it is idle, time advances to the next
 * timer. While data is in transit over a socket, it first asks the process that runs the peers.
 */
export class ProductHost {
  readonly #options: ProductOptions;
  readonly #time: SimulatedTime;
  readonly #stillness = new Stillness();
  readonly #said: SaidLine[] = [];
  #daemon: Daemon | null = null;
  #permitted: ((permission: Permission) => void) | null = null;

  constructor(options: ProductOptions, time: SimulatedTime) {
    this.#options = options;
    this.#time = time;
  }

  /** Follows orders until it is told to stop. */
  async serve(): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    process.on('message', (message: Order | Permission) => {
      if (message.kind === 'again' || message.kind === 'go') this.#permitted?.(message);
      else
        void this.#obey(message).then((isLast) => {
          if (isLast) stopped.resolve();
        }, stopped.reject);
    });
    await this.#until(this.#start());
    this.#report({ kind: 'started' });
    await stopped.promise;
    process.disconnect?.();
  }

  async #obey(order: Order): Promise<boolean> {
    await this.#carryOut(order);
    this.#report({
      kind: 'done',
      at: this.#time.elapsed(),
      said: this.#said.splice(0),
      memory: order.kind === 'measure' ? await this.#measure() : null,
    });
    return order.kind === 'stop';
  }

  async #carryOut(order: Order): Promise<void> {
    switch (order.kind) {
      case 'advance':
        await this.#live(order.until);
        return;
      case 'set-clock':
        this.#time.set(order.by);
        return;
      case 'restart':
        await this.#until(this.#restart());
        return;
      case 'reload':
        await this.#until(this.#running().reload());
        return;
      case 'stop':
        await this.#until(this.#running().stop());
        return;
      case 'measure':
    }
  }

  #running(): Daemon {
    if (this.#daemon === null) throw new Error('The daemon does not run');
    return this.#daemon;
  }

  async #start(): Promise<void> {
    const { configFile, folder } = this.#options;
    const place = { path: configFile, checkout: null, cwd: folder };
    const asked = { ...place, env: process.env, hostname: hostname(), errors: process.stderr };
    const loaded = await loadWith(localFiles, asked);
    if (loaded.kind === 'invalid') throw new Error(`Cannot use "${configFile}": ${JSON.stringify(loaded.issues)}`);
    const logger = pino({ level: 'info', base: null }, { write: (line) => this.#hear(line) });
    this.#daemon = new Daemon({
      clock: systemClock,
      env: process.env,
      logger,
      hostname: 'soak',
      version: 'soak',
      load: () => loadWith(localFiles, asked),
    });
    await this.#daemon.start(loaded.config);
    void this.#daemon.run(new AbortController().signal);
  }

  async #restart(): Promise<void> {
    await this.#running().stop();
    await this.#start();
  }

  #hear(text: string): void {
    this.#said.push({
      ...(JSON.parse(text) as Omit<SaidLine, 'at' | 'text'>),
      at: this.#time.elapsed(),
      text: text.trimEnd(),
    });
  }

  /** Lets time pass until the work is done. */
  async #until(work: Promise<unknown>): Promise<void> {
    const progress = { isDone: false };
    const done = work.finally(() => {
      progress.isDone = true;
    });
    while (!progress.isDone) {
      await this.#stillness.reached();
      if (!progress.isDone) await this.#step(Number.POSITIVE_INFINITY);
    }
    await done;
  }

  async #live(until: Millis): Promise<void> {
    do {
      await this.#stillness.reached();
      await this.#step(until);
    } while (this.#time.elapsed() < until);
    await this.#stillness.reached();
  }

  async #step(until: Millis): Promise<void> {
    const { tcp, udp } = openSockets();
    if (tcp === 0 && udp <= LISTENING_UDP) {
      const next = Math.min(until, this.#time.nextStop());
      // Without a timer, time cannot advance: something that Node does not list is in progress.
      if (Number.isFinite(next)) this.#time.moveTo(next);
      return;
    }
    const before = this.#stillness.events();
    const permission = await this.#ask();
    await this.#stillness.reached();
    // The answer itself is one event. Any other event came from a peer and may change the next timer.
    const isUnmoved = this.#stillness.events() - before <= 1;
    if (permission.kind === 'go' && isUnmoved) this.#time.moveTo(Math.min(until, permission.until));
  }

  #ask(): Promise<Permission> {
    return new Promise((resolve) => {
      this.#permitted = resolve;
      this.#report({ kind: 'waiting', at: this.#time.elapsed(), next: this.#time.nextDue() });
    });
  }

  async #measure(): Promise<Memory> {
    for (let round = 0; round < 4; round += 1) {
      globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      await this.#stillness.reached();
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { resident: rss, heap: heapUsed, external };
  }

  #report(report: Report): void {
    process.send?.(report);
  }
}
