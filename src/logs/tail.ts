import { createHash } from 'node:crypto';
import { open, readdir, stat, type FileHandle, readFile, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import * as z from 'zod';
import { sleep } from '../system/clock.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { errorCode } from '../network/failure.ts';
import { type LineSink, Framer } from './framing.ts';
import type { IntakeLogger } from './tally.ts';

/** Identifies a log file even after it was renamed, and records how far it was read. */
interface FileMark {
  readonly device: number;
  readonly inode: number;
  /**
   * SHA-256 of the first `headLength` bytes, including bytes that have not been processed. The inode number is not
   * sufficient, because inode numbers are reused and a truncated file keeps its number.
   */
  readonly head: string;
  readonly headLength: number;
  /** The number of bytes that were read and processed. The position is always at the end of a line. */
  readonly position: number;
}

/** Sufficient to identify a file, because log lines begin with the time. */
const HEAD = 512;

interface FoundFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  readonly modifiedAt: number;
}

/** Null if there is no regular file. The type is checked before opening, because opening a named pipe would block. */
async function findFile(path: string): Promise<FoundFile | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? { path, device: found.dev, inode: found.ino, modifiedAt: found.mtimeMs } : null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}

/** For example `fac.log.1`, `fac.log-20261124` or `fac-20261124.log`, oldest first. Compressed files are excluded. */
async function findRotated(path: string): Promise<readonly FoundFile[]> {
  const directory = dirname(path);
  const names = await readdir(directory).catch(() => []);
  const rotated = names.filter((name) => isRotationOf(basename(path), name));
  const files = await Promise.all(rotated.map((name) => findFile(join(directory, name)).catch(() => null)));
  return files.filter((file) => file !== null).toSorted((a, b) => a.modifiedAt - b.modifiedAt);
}

/** Returns whether tools such as logrotate would give this name to an old file. @internal */
export function isRotationOf(current: string, name: string): boolean {
  const extension = extname(current);
  const stem = current.slice(0, current.length - extension.length);
  const inTheMiddle =
    extension !== '' && name.startsWith(stem) && name.endsWith(extension)
      ? name.slice(stem.length, -extension.length)
      : '';
  const atTheEnd = name.startsWith(current) ? name.slice(current.length) : '';
  return [inTheMiddle, atTheEnd].some((rest) => /^[.-]\d[\d.T_-]*$/u.test(rest));
}

async function headOf(handle: FileHandle, most: number): Promise<Pick<FileMark, 'head' | 'headLength'>> {
  const bytes = Buffer.alloc(most);
  const { bytesRead } = await handle.read(bytes, 0, most, 0);
  const head = createHash('sha256').update(bytes.subarray(0, bytesRead)).digest('hex');
  return { head, headLength: bytesRead };
}

function isSameFile(a: Pick<FileMark, 'device' | 'inode'>, b: Pick<FileMark, 'device' | 'inode'>): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** A renamed file is still followed for this time, because the writing process may not have reopened the log yet. */
const GRACE: Millis = 30_000;
const CHUNK = 256 * 1024;

interface FollowOptions {
  readonly path: string;
  /** Positions from an earlier process. If null, the existing content of the log is skipped. */
  readonly resume: readonly FileMark[] | null;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly sink: () => LineSink;
}

interface Tail {
  readonly handle: FileHandle;
  readonly framer: Framer;
  /** Number of bytes read so far. */
  read: number;
  mark: FileMark;
  grownAt: Millis;
}

/**
 * Follows a file by its name. If another file takes the name, the old file is read for a while too. If the file is
 * truncated, it is read from its beginning. After a restart, reading resumes where it ended, also in a renamed file.
 * Polls the file, because inotify does not report changes that another machine makes on a network file system.
 */
export class Follower {
  readonly path: string;
  readonly #options: FollowOptions;
  readonly #buffer: Buffer = Buffer.alloc(CHUNK);
  /** Renamed files, oldest first, and then the current file. Null while they are closed. */
  #tails: readonly Tail[] | null = null;
  /** The marks kept while the files are closed. Null if the log has never been read. */
  #parked: readonly FileMark[] | null;

  constructor(options: FollowOptions) {
    this.path = options.path;
    this.#options = options;
    this.#parked = options.resume;
  }

  /** Must not be called concurrently. */
  async poll(signal: AbortSignal): Promise<void> {
    const before = this.#tails ?? (await this.#start());
    this.#tails = before;
    const tails = await this.#withCurrent(before);
    this.#tails = tails;
    for (const tail of tails) await this.#readOn(tail, signal);
    await this.#retireOld(tails);
  }

  /**
   * All data before a position has been passed to the sink, but no data after it. Null if there are no positions yet.
   */
  marks(): readonly FileMark[] | null {
    return this.#tails?.map(({ mark }) => mark) ?? this.#parked;
  }

  async close(): Promise<void> {
    const tails = this.#tails ?? [];
    this.#parked = this.marks();
    this.#tails = null;
    for (const { handle } of tails) await handle.close();
  }

  async #start(): Promise<readonly Tail[]> {
    if (this.#parked !== null) return this.#resume(this.#parked);
    if ((await findFile(this.path)) !== null) {
      const tail = await this.#open(this.path);
      moveTo(tail, (await tail.handle.stat()).size);
      return [tail];
    }
    this.#options.logger.warn({ event: 'log-file-missing', path: this.path }, 'The log file does not exist yet');
    return [];
  }

  /** If the log was rotated more than once, the files between the marked file and the current file are also read. */
  async #resume(marks: readonly FileMark[]): Promise<readonly Tail[]> {
    const current = await findFile(this.path);
    const files = [...(await findRotated(this.path)), ...(current === null ? [] : [current])];
    const last = marks.at(-1);
    const missing = new Set(marks);
    const tails: Tail[] = [];
    try {
      for (const file of files) {
        const mark = [...missing].find((one) => isSameFile(one, file));
        if (mark === undefined && (last === undefined || missing.has(last))) continue;
        const tail = await this.#open(file.path);
        tails.push(tail);
        if (mark === undefined) continue;
        if (await continues(tail.handle, mark)) {
          moveTo(tail, mark.position);
          missing.delete(mark);
        } else await tails.pop()?.handle.close();
      }
    } catch (error) {
      // The next poll resumes from the marks.
      for (const { handle } of tails) await handle.close();
      throw error;
    }
    for (const mark of missing) this.#warnReplaced(mark);
    return tails;
  }

  async #withCurrent(tails: readonly Tail[]): Promise<readonly Tail[]> {
    const file = await findFile(this.path);
    // During rotation, the path does not exist until the new file has been created.
    if (file === null) return tails;
    const latest = tails.at(-1);
    if (latest === undefined || !isSameFile(file, latest.mark)) return [...tails, await this.#open(this.path)];
    if (await continues(latest.handle, latest.mark)) return tails;
    const anew = await this.#open(this.path);
    this.#warnReplaced(latest.mark);
    await latest.handle.close();
    return [...tails.slice(0, -1), anew];
  }

  async #open(path: string): Promise<Tail> {
    const handle = await open(path, 'r');
    try {
      const { dev: device, ino: inode } = await handle.stat();
      const mark = { device, inode, ...(await headOf(handle, HEAD)), position: 0 };
      const framer = new Framer(this.#options.sink(), { octetCounting: false });
      return { handle, framer, read: 0, mark, grownAt: this.#options.clock.elapsed() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #readOn(tail: Tail, signal: AbortSignal): Promise<void> {
    const before = tail.read;
    // The mark is extended before lines are processed, so that the file can be identified after a crash.
    if (tail.mark.headLength < HEAD) tail.mark = { ...tail.mark, ...(await headOf(tail.handle, HEAD)) };
    while (!signal.aborted) {
      const { bytesRead } = await tail.handle.read(this.#buffer, 0, CHUNK, tail.read);
      if (bytesRead === 0) break;
      tail.framer.push(this.#buffer.subarray(0, bytesRead));
      moveTo(tail, tail.read + bytesRead);
    }
    if (tail.read > before) tail.grownAt = this.#options.clock.elapsed();
  }

  async #retireOld(tails: readonly Tail[]): Promise<void> {
    const now = this.#options.clock.elapsed();
    const done = tails.slice(0, -1).filter(({ grownAt }) => now - grownAt > GRACE);
    this.#tails = tails.filter((tail) => !done.includes(tail));
    for (const { framer } of done) framer.end();
    for (const { handle } of done) await handle.close();
  }

  #warnReplaced({ position }: FileMark): void {
    this.#options.logger.warn(
      { event: 'log-file-replaced', path: this.path, position },
      'The log file was replaced before it was read completely, so lines may be missing',
    );
  }
}

function moveTo(tail: Tail, read: number): void {
  tail.read = read;
  tail.mark = { ...tail.mark, position: read - tail.framer.pending };
}

/** Returns whether the file has the same beginning and contains all bytes that were read. */
async function continues(handle: FileHandle, mark: FileMark): Promise<boolean> {
  const { size } = await handle.stat();
  return size >= mark.position && (await headOf(handle, mark.headLength)).head === mark.head;
}

const POLL_EVERY: Millis = 500;

interface FollowFilesOptions extends Omit<FollowOptions, 'path' | 'resume'> {
  readonly paths: readonly string[];
  /** Positions from an earlier process. A file without a saved position is followed from its end. */
  readonly positions: Positions;
}

export class FileReader {
  readonly #options: FollowFilesOptions;
  readonly #followers: readonly Follower[];
  readonly #stopping = new AbortController();
  readonly #failing = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: FollowFilesOptions) {
    this.#options = options;
    this.#followers = options.paths.map(
      (path) => new Follower({ ...options, path, resume: options.positions[path] ?? null }),
    );
  }

  /** Reads all files once before the promise resolves, so that no later line is missed. */
  async start(): Promise<void> {
    const first = this.#pollAll();
    this.#running = first.then(() => this.#run());
    await first;
  }

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

  /** Each failure is logged once, and is logged again only if reading has succeeded in the meantime. */
  async #pollAll(): Promise<void> {
    for (const follower of this.#followers) {
      const { path } = follower;
      try {
        await follower.poll(this.#stopping.signal);
        this.#failing.delete(path);
      } catch (error) {
        if (!this.#failing.has(path))
          this.#options.logger.error({ event: 'log-file-unreadable', err: error, path }, 'Cannot read the log file');
        this.#failing.add(path);
      }
    }
  }
}

/** File marks by path. Unfinished rotated files come first, and the current file is last. */
export type Positions = Readonly<Record<string, readonly FileMark[]>>;

const mark = z.strictObject({
  device: z.number(),
  inode: z.number(),
  head: z.string(),
  headLength: z.int().nonnegative(),
  position: z.int().nonnegative(),
});

const stored = z.object({ files: z.record(z.string(), z.array(mark)) });
const former = stored.extend({ version: z.literal(1) });

/**
 * @param content content of the state file, not validated
 * @param formerFile from version 0.1.0, read once and then deleted
 */
export async function readPositions(
  content: unknown,
  formerFile: string,
  logger: IntakeLogger,
): Promise<Positions | null> {
  try {
    if (typeof content !== 'object' || content === null || !('files' in content)) return await readFormer(formerFile);
    const { files } = stored.parse(content);
    await rm(formerFile, { force: true });
    return files;
  } catch (error) {
    logger.error(
      { event: 'log-positions-unreadable', err: error },
      'Cannot read the saved positions in log files, so the files are followed from the end',
    );
    return null;
  }
}

async function readFormer(path: string): Promise<Positions | null> {
  try {
    return former.parse(JSON.parse(await readFile(path, 'utf8'))).files;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
