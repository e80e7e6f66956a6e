import { createHash } from 'node:crypto';
import { open, readdir, stat, type FileHandle, readFile, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import * as z from 'zod';
import { sleep } from '../system/clock.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { errorCode } from '../network/failure.ts';
import { type LineSink, Framer } from './framing.ts';
import type { IntakeLogger } from './tally.ts';

/** Identifies a log file even after it was renamed or copied, and records how far it was read. */
interface FileMark {
  readonly device: number;
  readonly inode: number;
  /**
   * SHA-256 of the first `headLength` bytes, including bytes that have not been processed. The inode number is not
   * sufficient, because inode numbers are reused and a copy has a different inode number.
   */
  readonly head: string;
  readonly headLength: number;
  /** The number of bytes that were read and processed. The position is always at the end of a line. */
  readonly position: number;
}

/** Sufficient to identify a file, because log lines begin with the time. */
const HEAD = 512;
const MAX_ROTATED = 64;

interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly device: number;
  readonly inode: number;
  readonly modifiedAt: number;
}

/**
 * Null if the file does not exist or is not regular. The type is checked before opening, because opening a named pipe
 * would block.
 */
async function openRegular(path: string): Promise<OpenedFile | null> {
  let handle: FileHandle | null = null;
  try {
    if (!(await stat(path)).isFile()) return null;
    handle = await open(path, 'r');
    const { dev, ino, mtimeMs } = await handle.stat();
    return { path, handle, device: dev, inode: ino, modifiedAt: mtimeMs };
  } catch (error) {
    await handle?.close();
    if (isMissing(error)) return null;
    throw error;
  }
}

async function markOf({ handle, device, inode }: OpenedFile, position: number): Promise<FileMark> {
  const { head, headLength } = await headOf(handle, HEAD);
  return { device, inode, head, headLength, position };
}

/** True if the file was shorter than `HEAD` when the mark was created. A short mark can be extended. */
function isShort({ headLength }: FileMark): boolean {
  return headLength < HEAD;
}

/** Returns whether the file has the same beginning and contains all bytes that were read. */
async function continues({ handle }: OpenedFile, mark: FileMark): Promise<boolean> {
  const { size } = await handle.stat();
  return size >= mark.position && (await headOf(handle, mark.headLength)).head === mark.head;
}

/**
 * Finds the file that the mark describes, which may have been renamed (same inode), or copied and truncated (same
 * beginning). Null if the file no longer exists or was compressed.
 */
async function findMarked(path: string, mark: FileMark): Promise<OpenedFile | null> {
  const current = await openRegular(path);
  const files = [...(current === null ? [] : [current]), ...(await openRotated(path))];
  const isSame = (file: OpenedFile): boolean => file.device === mark.device && file.inode === mark.inode;
  const fitting: OpenedFile[] = [];
  for (const file of files)
    if ((isSame(file) || mark.headLength > 0) && (await continues(file, mark))) fitting.push(file);
  const found = fitting.find(isSame) ?? fitting[0] ?? null;
  await Promise.all(files.filter((file) => file !== found).map((file) => file.handle.close()));
  return found;
}

/** Oldest first. */
async function findNewer(path: string, file: OpenedFile): Promise<readonly OpenedFile[]> {
  const rotated = await openRotated(path);
  const newer = rotated.filter((other) => other.inode !== file.inode && other.modifiedAt > file.modifiedAt);
  await Promise.all(rotated.filter((other) => !newer.includes(other)).map((other) => other.handle.close()));
  return newer.toSorted((a, b) => a.modifiedAt - b.modifiedAt);
}

/** For example `fac.log.1`, `fac.log-20261124` or `fac-20261124.log`. Compressed files are excluded. */
async function openRotated(path: string): Promise<readonly OpenedFile[]> {
  const directory = dirname(path);
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch {
    return [];
  }
  const rotated = names.filter((name) => isRotationOf(basename(path), name)).map((name) => join(directory, name));
  const latest = await latestOf(rotated, MAX_ROTATED);
  const opened = await Promise.all(latest.map((name) => openRegular(name).catch(() => null)));
  return opened.filter((file) => file !== null);
}

/** There can be hundreds of rotated files, but only the latest were written since the previous process stopped. */
async function latestOf(paths: readonly string[], most: number): Promise<readonly string[]> {
  if (paths.length <= most) return paths;
  const times = await Promise.all(
    paths.map(async (path) => ({ path, at: (await stat(path).catch(() => null))?.mtimeMs ?? 0 })),
  );
  return times
    .toSorted((a, b) => b.at - a.at)
    .slice(0, most)
    .map(({ path }) => path);
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

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');
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
  readonly file: OpenedFile;
  readonly framer: Framer;
  /** Number of bytes read so far. */
  read: number;
  mark: FileMark;
  grownAt: Millis;
}

/**
 * Follows one log, even across rotation (rename, or copy and truncate), truncation and restarts. Polls the file,
 * because inotify does not report changes that another machine makes on a network file system.
 */
export class Follower {
  readonly path: string;
  readonly #options: FollowOptions;
  readonly #buffer: Buffer = Buffer.alloc(CHUNK);
  /** Rotated files, oldest first. */
  #old: readonly Tail[] = [];
  #current: Tail | null = null;
  /** True while the log files are open. */
  #started = false;
  /** The marks kept while the files are closed. Null if the log has never been read. */
  #parked: readonly FileMark[] | null;

  constructor(options: FollowOptions) {
    this.path = options.path;
    this.#options = options;
    this.#parked = options.resume;
  }

  /** Must not be called concurrently. */
  async poll(signal: AbortSignal): Promise<void> {
    if (!this.#started) await this.#start();
    this.#started = true;
    await this.#checkRotation();
    for (const tail of this.#tails()) await this.#readOn(tail, signal);
    await this.#retireOld();
  }

  /**
   * All data before a position has been passed to the sink, but no data after it. Null if there are no positions yet.
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
    else this.#options.logger.warn({ event: 'log-file-missing', path: this.path }, 'The log file does not exist yet');
  }

  /** Includes unread data in rotated files. */
  async #resume(marks: readonly FileMark[]): Promise<void> {
    const tails: Tail[] = [];
    const isCurrent = ({ file }: Tail): boolean => file.path === this.path;
    try {
      for (const mark of marks) {
        const file = await findMarked(this.path, mark);
        if (file === null) this.#warnMissing(mark);
        else tails.push(await this.#tailOf(file, mark.position));
      }
      // If the log was rotated more than once, the files between the marked file and the current file are also read.
      const last = tails.at(-1);
      const unseen = last === undefined || tails.some(isCurrent) ? [] : await findNewer(this.path, last.file);
      for (const file of unseen) tails.push(await this.#tailOf(file, 0));
    } catch (error) {
      // The next poll resumes from the marks.
      for (const { file } of tails) await file.handle.close();
      throw error;
    }
    this.#old = tails.filter((tail) => !isCurrent(tail));
    this.#current = tails.find(isCurrent) ?? null;
  }

  async #checkRotation(): Promise<void> {
    const file = await openRegular(this.path);
    // During rotation, the path does not exist until the new file has been created.
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

  /** If the file was copied before truncation, unread lines are read from the copy. */
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
    // The mark is extended before lines are processed, so that the file can be identified after a crash.
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
      { event: 'log-file-replaced', path: this.path, position },
      'The log file was replaced before it was read completely, so lines may be missing',
    );
  }
}

function isSameFile(a: OpenedFile, b: OpenedFile): boolean {
  return a.inode === b.inode && a.device === b.device;
}

const POLL_EVERY: Millis = 500;

interface FollowFilesOptions {
  readonly paths: readonly string[];
  /** Positions from an earlier process. A file without a saved position is followed from its end. */
  readonly positions: Positions;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly sink: () => LineSink;
}

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
