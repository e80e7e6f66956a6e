import { sleep } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { Follower } from './follow.ts';
import type { LineSink } from './framing.ts';
import type { IntakeLogger } from './logger.ts';
import { readPositions, writePositions, type Positions } from './positions.ts';

const POLL_EVERY: Millis = 500;

export interface FollowFilesOptions {
  readonly paths: readonly string[];
  /** Where the positions are kept; null keeps none, and a restart begins at the ends of the files. */
  readonly stateFile: string | null;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly sink: () => LineSink;
  /** Called before positions are written: what was read up to there must be handed on. */
  readonly flush: () => void;
}

/**
 * Follows files and keeps the positions. After an orderly stop nothing is read twice and nothing is lost; after a crash
 * at most the lines of the last poll are read again.
 */
export class FileReader {
  readonly #options: FollowFilesOptions;
  readonly #followers: readonly Follower[];
  readonly #stopping = new AbortController();
  readonly #failing = new Set<string>();
  #written = '';
  #running: Promise<void> = Promise.resolve();

  private constructor(options: FollowFilesOptions, positions: Positions | null) {
    const { paths, clock, logger, sink } = options;
    this.#options = options;
    this.#followers = paths.map(
      (path) => new Follower({ path, resume: positions?.[path] ?? null, clock, logger, sink }),
    );
  }

  /** Looks at the files once, so that from now on nothing is missed, and goes on following them. */
  static async start(options: FollowFilesOptions): Promise<FileReader> {
    const reader = new FileReader(options, await storedPositions(options));
    await reader.#pollAll();
    reader.#running = reader.#run();
    return reader;
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

  async #pollAll(): Promise<void> {
    for (const follower of this.#followers)
      await this.#guard(follower.path, 'log file cannot be read', () => follower.poll(this.#stopping.signal));
    await this.#save();
  }

  async #save(): Promise<void> {
    const { stateFile, flush } = this.#options;
    if (stateFile === null) return;
    const files: Positions = Object.fromEntries(this.#followers.map((follower) => [follower.path, follower.marks()]));
    const text = JSON.stringify(files);
    if (text === this.#written) return;
    flush();
    await this.#guard(stateFile, 'positions in the log files cannot be kept', async () => {
      await writePositions(stateFile, files);
      this.#written = text;
    });
  }

  /** Tells once what fails, and again after it worked in between. */
  async #guard(path: string, message: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.#failing.delete(path);
    } catch (error) {
      if (!this.#failing.has(path)) this.#options.logger.error({ err: error, path }, message);
      this.#failing.add(path);
    }
  }
}

async function storedPositions({ stateFile, logger }: FollowFilesOptions): Promise<Positions | null> {
  if (stateFile === null) return null;
  try {
    return await readPositions(stateFile);
  } catch (error) {
    logger.error(
      { err: error, path: stateFile },
      'positions in the log files cannot be read, following begins at their ends',
    );
    return null;
  }
}
