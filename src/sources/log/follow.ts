import type { FileMark, OpenedFile } from './file-identity.ts';
import { continues, findMarked, findNewer, isShort, markOf, openRegular } from './file-identity.ts';
import { Framer, type LineSink } from './framing.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import type { IntakeLogger } from './logger.ts';

/** The writer of a renamed file may go on for a while, until it is told to open the new one. */
const GRACE: Millis = 30_000;
const CHUNK = 256 * 1024;

export interface FollowOptions {
  readonly path: string;
  /** From an earlier run; null: there was none, so what stands in the file is history and is skipped. */
  readonly resume: readonly FileMark[] | null;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly sink: () => LineSink;
}

interface Tail {
  readonly file: OpenedFile;
  readonly framer: Framer;
  /** Bytes read. */
  read: number;
  mark: FileMark;
  grownAt: Millis;
}

/**
 * Follows one log through rotation (rename, or copy and cut), truncation and restart. It looks from time to time
 * instead of being told: inotify says nothing about files that another machine writes.
 */
export class Follower {
  readonly path: string;
  readonly #options: FollowOptions;
  readonly #buffer: Buffer = Buffer.alloc(CHUNK);
  /** Rotated files that may still grow, oldest first. */
  #old: readonly Tail[] = [];
  #current: Tail | null = null;
  /** Whether the files are open. */
  #started = false;
  /** While they are not: before the start and after the end. Null: nobody ever read the file. */
  #parked: readonly FileMark[] | null;

  constructor(options: FollowOptions) {
    this.path = options.path;
    this.#options = options;
    this.#parked = options.resume;
  }

  /** Reads what is new. One call at a time. */
  async poll(signal: AbortSignal): Promise<void> {
    if (!this.#started) await this.#start();
    this.#started = true;
    await this.#checkRotation();
    for (const tail of this.#tails()) await this.#readOn(tail, signal);
    await this.#retireOld();
  }

  /**
   * Where to go on after a restart, true at any moment: what was read up to there has been handed to the sink, and
   * nothing beyond. Null: nowhere yet.
   */
  marks(): readonly FileMark[] | null {
    return this.#started ? this.#tails().map(({ mark }) => mark) : this.#parked;
  }

  async close(): Promise<void> {
    const tails = this.#tails();
    this.#parked = this.marks();
    this.#started = false;
    this.#old = [];
    this.#current = null;
    for (const tail of tails) await tail.file.handle.close();
  }

  #tails(): readonly Tail[] {
    return this.#current === null ? this.#old : [...this.#old, this.#current];
  }

  async #start(): Promise<void> {
    if (this.#options.resume !== null) {
      await this.#resume(this.#options.resume);
      return;
    }
    const file = await openRegular(this.path);
    if (file !== null) this.#current = await this.#tailOf(file, (await file.handle.stat()).size);
    else this.#options.logger.warn({ path: this.path }, 'log file does not exist yet');
  }

  /** Goes on where an earlier run stopped, in the rotated files too. */
  async #resume(marks: readonly FileMark[]): Promise<void> {
    const tails: Tail[] = [];
    const isCurrent = ({ file }: Tail): boolean => file.path === this.path;
    try {
      for (const mark of marks) {
        const file = await findMarked(this.path, mark);
        if (file === null) this.#warnMissing(mark);
        else tails.push(await this.#tailOf(file, mark.position));
      }
      // Rotated more than once meanwhile: those in between were never seen.
      const last = tails.at(-1);
      const unseen = last === undefined || tails.some(isCurrent) ? [] : await findNewer(this.path, last.file);
      for (const file of unseen) tails.push(await this.#tailOf(file, 0));
    } catch (error) {
      // The next poll begins again.
      for (const { file } of tails) await file.handle.close();
      throw error;
    }
    this.#old = tails.filter((tail) => !isCurrent(tail));
    this.#current = tails.find(isCurrent) ?? null;
  }

  /** Looks whether the file of this name is still the one that is being read. */
  async #checkRotation(): Promise<void> {
    const file = await openRegular(this.path);
    // Between the rename and the new file there is none.
    if (file === null) return;
    const current = this.#current;
    if (current !== null && isSameFile(file, current.file)) {
      await file.handle.close();
      if (!(await continues(current.file, current.mark))) await this.#restartCut(current);
      return;
    }
    const next = await this.#tailOf(file, 0);
    if (current !== null) this.#old = [...this.#old, current];
    this.#current = next;
  }

  /** The file was cut, after it had been copied perhaps: what the copy has more is read there. */
  async #restartCut(cut: Tail): Promise<void> {
    const copy = await findMarked(this.path, cut.mark);
    const rest = copy === null ? [] : [await this.#tailOf(copy, cut.mark.position)];
    const next = await this.#tailOf(cut.file, 0);
    if (copy === null) this.#warnMissing(cut.mark);
    this.#old = [...this.#old, ...rest];
    this.#current = next;
  }

  async #tailOf(file: OpenedFile, from: number): Promise<Tail> {
    const framer = new Framer(this.#options.sink(), { octetCounting: false });
    return { file, framer, read: from, mark: await markOf(file, from), grownAt: this.#options.clock.elapsed() };
  }

  async #readOn(tail: Tail, signal: AbortSignal): Promise<void> {
    const before = tail.read;
    // Before the first line of it is handed on: then the file is known again whatever happens.
    if (isShort(tail.mark)) tail.mark = await markOf(tail.file, tail.mark.position);
    while (!signal.aborted) {
      const { bytesRead } = await tail.file.handle.read(this.#buffer, 0, CHUNK, tail.read);
      if (bytesRead === 0) break;
      tail.framer.push(this.#buffer.subarray(0, bytesRead));
      tail.read += bytesRead;
      tail.mark = { ...tail.mark, position: tail.read - tail.framer.pending };
    }
    if (tail.read === before) return;
    tail.grownAt = this.#options.clock.elapsed();
  }

  async #retireOld(): Promise<void> {
    const now = this.#options.clock.elapsed();
    const done = this.#old.filter((tail) => now - tail.grownAt > GRACE);
    this.#old = this.#old.filter((tail) => !done.includes(tail));
    for (const tail of done) tail.framer.end();
    for (const tail of done) await tail.file.handle.close();
  }

  #warnMissing({ position }: FileMark): void {
    this.#options.logger.warn(
      { path: this.path, position },
      'log file was replaced before it was read to the end, lines may be missing',
    );
  }
}

function isSameFile(a: OpenedFile, b: OpenedFile): boolean {
  return a.inode === b.inode && a.device === b.device;
}
