import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { pino } from 'pino';
import picocolors from 'picocolors';
import { Daemon } from '../runtime/daemon.ts';
import { watchLoop } from '../runtime/watchdog/watch-loop.ts';
import { notifyServiceManager } from '../system/service-manager.ts';
import { InvalidConfiguration, type Invocation, loadWith, type Terminal } from './terminal.ts';
import { type LoadResult, localFiles } from '../config/load.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';

/** @throws {Error} with advice on what to do if the daemon cannot start or continue */
export async function run(terminal: Invocation): Promise<number> {
  let reload = (): void => undefined;
  // The SIGHUP listener is installed first, because SIGHUP ends a process without a listener. SIGHUP has no effect
  // until the configuration has been loaded.
  terminal.onHangup(() => reload());
  // Unlike other commands, the daemon never reads substitutes for secret files.
  const load = (): Promise<LoadResult> => loadWith(localFiles, terminal);
  const loaded = await load();
  if (loaded.kind === 'invalid') throw new InvalidConfiguration(loaded);
  const { config } = loaded;
  const { clock, env, version, hostname, signal } = terminal;
  const { fd, form } = standardOutput(terminal);
  const logger = pino(
    {
      level: config.log.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    createLogOutput({ clock, form, writeSome: (bytes) => writeSync(fd, bytes) }),
  );
  using _watchdog = watchLoop({ clock, env, logger, lastLine: { fd, prefix: form === journalForm ? FATAL : '' } });
  const daemon = new Daemon({ clock, env, logger, version, hostname, load });
  reload = () => void daemon.reload();
  logger.info({ event: 'starting', version, site: config.site, licenseServer: config.licenseServer.host }, 'Starting');
  await daemon.start(config);
  void notifyServiceManager('READY=1', env, logger);
  try {
    await daemon.run(signal);
  } finally {
    logger.info({ event: 'stopping' }, 'Stopping');
    await Promise.all([daemon.stop(), notifyServiceManager('STOPPING=1', env, logger)]);
    logger.info({ event: 'stopped' }, 'Stopped');
  }
  return 0;
}

interface LogOutput {
  write(line: string): void;
}

interface LogOutputOptions {
  readonly clock: Clock;
  readonly form: LogForm;
  /** Returns the number of bytes written. Throws Node's error if nothing can be written at the moment. */
  readonly writeSome: (bytes: Uint8Array) => number;
}

/** If the buffer is full, new lines are dropped. */
const MAX_WAITING_BYTES = 256 * 1024;
const RETRY_AFTER: Millis = 1_000;

/**
 * Never blocks or throws, so that the program keeps running if logging fails. Lines that cannot be written are dropped,
 * and their number is logged as soon as writing works again. pino's own destination is not used, because it blocks the
 * main thread with endless retries when the disk is full.
 */
export function createLogOutput({ clock, form, writeSome }: LogOutputOptions): LogOutput {
  let waiting: Buffer = Buffer.alloc(0);
  let lost = 0;
  let cancelRetry: (() => void) | null = null;

  function flush(): void {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSome(waiting));
    } catch {
      // This error cannot be reported anywhere else.
    }
  }

  function drain(): void {
    flush();
    if (waiting.length === 0 && lost > 0) {
      waiting = Buffer.from(form(lossLine(lost, clock)));
      lost = 0;
      flush();
    }
    if (waiting.length > 0)
      cancelRetry ??= clock.after(RETRY_AFTER, () => {
        cancelRetry = null;
        drain();
      });
  }

  return {
    write: (line) => {
      const bytes = Buffer.from(form(line));
      // After lines have been dropped, new lines wait until the loss has been logged. This keeps the lines in order.
      if (waiting.length + bytes.length > MAX_WAITING_BYTES || (lost > 0 && waiting.length > 0)) lost += 1;
      else waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      drain();
    },
  };
}

/** Writing to the file descriptor never blocks: Node makes pipes and sockets non-blocking, but not terminals. */
function standardOutput({ env, style }: Pick<Terminal, 'env' | 'style'>): { fd: number; form: LogForm } {
  const { fd, isTTY } = process.stdout;
  if (isTTY) return { fd: openAgain(fd), form: readableForm(style.color) };
  return { fd, form: isJournal(fd, env) ? journalForm : jsonForm };
}

/** Ctrl-S stops the output of a terminal. The terminal cannot be opened again after `su`, for example. */
function openAgain(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${String(fd)}`, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}

/** See systemd.exec(5). */
function isJournal(fd: number, { JOURNAL_STREAM: stream }: NodeJS.ProcessEnv): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${String(dev)}:${String(ino)}`;
}

function lossLine(lines: number, clock: Clock): string {
  const msg = 'Log lines were dropped because they could not be written';
  const time = new Date(clock.now()).toISOString();
  return `${JSON.stringify({ level: 'warn', time, event: 'log-lines-dropped', lines, msg })}\n`;
}

type LogForm = (line: string) => string;

const jsonForm: LogForm = (line) => line;

/** See sd-daemon(3). */
export const journalForm: LogForm = (line) => `${PRIORITIES.get(levelOf(line)) ?? '<6>'}${line}`;

const FATAL = '<2>';
const PRIORITIES: ReadonlyMap<string, string> = new Map([
  ['fatal', FATAL],
  ['error', '<3>'],
  ['warn', '<4>'],
  ['info', '<6>'],
  ['debug', '<7>'],
  ['trace', '<7>'],
]);

function levelOf(line: string): string {
  return /^\{"level":"(?<level>[a-z]+)"/u.exec(line)?.groups?.['level'] ?? '';
}

const MAX_LINE = 4_000;

export function readableForm(color: boolean): LogForm {
  const colors = picocolors.createColors(color);
  const painted: ReadonlyMap<unknown, (text: string) => string> = new Map([
    ['fatal', colors.red],
    ['error', colors.red],
    ['warn', colors.yellow],
    ['debug', colors.dim],
    ['trace', colors.dim],
  ]);
  return (line) => {
    // The name of the event is for programs, and repeats the message.
    const { level, time, msg, event: _event, ...fields }: Readonly<Record<string, unknown>> = recordOf(line);
    const paint = painted.get(level) ?? String;
    const at = new Date(String(time)).toTimeString().slice(0, 8);
    const word = level === 'info' ? '' : `${String(level)}: `;
    const entries = Object.entries(fields);
    const behind = entries
      .filter(([, value]) => !Array.isArray(value))
      .map(([key, value]) => `  ${key}=${shown(value)}`);
    const below = entries.flatMap(([, value]) =>
      Array.isArray(value) ? value.map((item) => `  - ${shown(item)}`) : [],
    );
    const first = `${paint(visibleText(`${word}${String(msg)}`, MAX_LINE))}${visibleText(behind.join(''), MAX_LINE)}`;
    return [`${colors.dim(at)} ${first}`, ...below.map((item) => visibleText(item, MAX_LINE)), ''].join('\n');
  };
}

function recordOf(line: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(line);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  // pino serializes errors as objects with a message and a stack.
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value)
    return String(value.message);
  return JSON.stringify(value);
}
