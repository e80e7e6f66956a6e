import { once } from 'node:events';
import { fstatSync, writeSync } from 'node:fs';
import { pino } from 'pino';
import picocolors from 'picocolors';
import { App } from '../runtime/app.ts';
import { watchLoop } from '../runtime/watchdog/watch-loop.ts';
import { notifyServiceManager } from '../system/service-manager.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { loadForDaemon, type Invocation, writeIssues, type Terminal } from './terminal.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';

/**
 * Runs the daemon until it is stopped.
 * @throws {Error} with advice on what to do if it cannot start or continue
 */
export async function run(terminal: Invocation): Promise<number> {
  let reload = (): void => undefined;
  // Installed at the very start, because SIGHUP would end the process without a listener. Until the file is loaded,
  // there is nothing to reload.
  terminal.onHangup(() => reload());
  const loaded = await loadForDaemon(terminal);
  if (loaded.kind === 'invalid') {
    writeIssues(loaded, terminal.errors);
    return EXIT_UNKNOWN;
  }
  const { config } = loaded;
  const { clock, env, version, signal } = terminal;
  const logger = pino(
    {
      level: config.log.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    standardOutput(terminal),
  );
  using _watchdog = watchLoop(clock, env, logger);
  const death = Promise.withResolvers<never>();
  const app = new App({
    clock,
    env,
    logger,
    version,
    onBound: () => void notifyServiceManager('READY=1', env, logger),
    load: () => loadForDaemon(terminal),
    onDeath: death.reject,
  });
  const started = Promise.withResolvers<void>();
  reload = () => void started.promise.then(() => app.reload());
  logger.info({ version, site: config.site, licenseServer: config.licenseServer.host }, 'Starting');
  await app.start(config);
  started.resolve();
  try {
    await Promise.race([signal.aborted ? null : once(signal, 'abort'), death.promise]);
  } finally {
    logger.info('Stopping');
    await Promise.all([app.stop(), notifyServiceManager('STOPPING=1', env, logger)]);
    logger.info('Stopped');
  }
  return 0;
}

/** Destination for a logger's lines. Can be passed to pino. */
export interface LogOutput {
  write(line: string): void;
}

export interface LogOutputOptions {
  readonly clock: Clock;
  readonly form: LogForm;
  /** Writes as much as there is room for and returns the number of bytes. @throws Node's error if there is no room */
  readonly writeSome: (bytes: Uint8Array) => number;
}

/** Buffered until there is room. If the buffer is full, new lines are dropped. */
const MAX_WAITING_BYTES = 256 * 1024;
const RETRY_AFTER: Millis = 1_000;

/**
 * Log output for a program that must keep running whatever happens to its log. A full disk or a reader that is stuck or
 * gone costs log lines, and their number is logged as soon as there is room again. Nothing here throws or blocks:
 * pino's own destination retries forever, on the only thread, when a disk is full.
 * @internal
 */
export function createLogOutput({ clock, form, writeSome }: LogOutputOptions): LogOutput {
  let waiting: Buffer = Buffer.alloc(0);
  let lost = 0;
  let cancelRetry: (() => void) | null = null;

  function flush(): void {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSome(waiting));
    } catch {
      // There is nowhere left to report the error.
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
      // After a loss, later lines wait until the loss has been logged, to keep the order.
      if (waiting.length + bytes.length > MAX_WAITING_BYTES || (lost > 0 && waiting.length > 0)) lost += 1;
      else waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      drain();
    },
  };
}

/**
 * Writes to standard output. Node makes it non-blocking if it is a pipe or a socket, so a stuck reader does not block
 * the program.
 */
function standardOutput({ clock, env, style }: Pick<Terminal, 'clock' | 'env' | 'style'>): LogOutput {
  const { fd, isTTY } = process.stdout;
  const form = isTTY ? readableForm(style.color) : isJournal(fd, env) ? journalForm : jsonForm;
  return createLogOutput({ clock, form, writeSome: (bytes) => writeSync(fd, bytes) });
}

/** systemd.exec(5): reports whether this is the stream that systemd connected to the journal. */
function isJournal(fd: number, { JOURNAL_STREAM: stream }: NodeJS.ProcessEnv): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${String(dev)}:${String(ino)}`;
}

/** A warning in the format of pino's lines. */
function lossLine(lines: number, clock: Clock): string {
  const msg = 'Log lines were lost: they could not be written';
  return `${JSON.stringify({ level: 'warn', time: new Date(clock.now()).toISOString(), lines, msg })}\n`;
}

/** Formats a log line from pino's JSON. */
export type LogForm = (line: string) => string;

/** For programs. */
export const jsonForm: LogForm = (line) => line;

/** sd-daemon(3): the journal reads the priority from the start of the line. */
export const journalForm: LogForm = (line) => `<${PRIORITIES.get(levelOf(line)) ?? '6'}>${line}`;

const PRIORITIES: ReadonlyMap<string, string> = new Map([
  ['fatal', '2'],
  ['error', '3'],
  ['warn', '4'],
  ['info', '6'],
  ['debug', '7'],
  ['trace', '7'],
]);

function levelOf(line: string): string {
  return /^\{"level":"(?<level>[a-z]+)"/u.exec(line)?.groups?.['level'] ?? '';
}

const MAX_LINE = 4_000;

/** For people at a terminal: other fields follow the message on the same line, and lists follow on separate lines. */
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
    const { level, time, msg, ...fields }: Readonly<Record<string, unknown>> = recordOf(line);
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
  // pino's serialization of an error.
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value)
    return String(value.message);
  return JSON.stringify(value);
}
