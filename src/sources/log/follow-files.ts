import { sleep } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { Follower } from './follow.ts';
import type { LineSink } from './framing.ts';
import type { IntakeLogger } from './logger.ts';
import type { Positions } from './positions.ts';

const POLL_EVERY: Millis = 500;

export interface FollowFilesOptions {
  readonly paths: readonly string[];
  /** Where an earlier run stopped; a path without positions is followed from its end. */
  readonly positions: Positions;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly sink: () => LineSink;
}

/** Follows files. */
export class FileReader {
  readonly #options: FollowFilesOptions;
  readonly #followers: readonly Follower[];
  readonly #stopping = new AbortController();
  readonly #failing = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: FollowFilesOptions) {
    const { paths, positions, clock, logger, sink } = options;
    this.#options = options;
    this.#followers = paths.map((path) => new Follower({ path, resume: positions[path] ?? null, clock, logger, sink }));
  }

  /** Looks at the files once, so that from now on nothing is missed, and goes on following them. */
  async start(): Promise<void> {
    const first = this.#pollAll();
    this.#running = first.then(() => this.#run());
    await first;
  }

  /** Where to go on after a restart, true at any moment: see `Follower.marks`. */
  positions(): Positions {
    return Object.fromEntries(
      this.#followers.flatMap((follower) => {
        const marks = follower.marks();
        return marks === null ? [] : [[follower.path, marks]];
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    for (const follower of this.#followers) await follower.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(this.#options.clock, POLL_EVERY, signal).catch(() => {});
      await this.#pollAll();
    }
  }

  /** Tells once what fails, and again after it worked in between. */
  async #pollAll(): Promise<void> {
    for (const follower of this.#followers) {
      const { path } = follower;
      try {
        await follower.poll(this.#stopping.signal);
        this.#failing.delete(path);
      } catch (error) {
        if (!this.#failing.has(path)) this.#options.logger.error({ err: error, path }, 'log file cannot be read');
        this.#failing.add(path);
      }
    }
  }
}
