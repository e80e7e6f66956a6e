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
  // The listener is installed at the start, because SIGHUP ends a process that has no listener. Until the configuration
  // is loaded, the signal has no effect.
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

/** Destination for log lines, which can be passed to pino. */
interface LogOutput {
  write(line: string): void;
}

interface LogOutputOptions {
  readonly clock: Clock;
  readonly form: LogForm;
  /**
   * Writes as many bytes as fit and returns their number.
   * @throws Node's error if there is no room
   */
  readonly writeSome: (bytes: Uint8Array) => number;
}

/** Lines are buffered until they can be written. If the buffer is full, new lines are dropped. */
const MAX_WAITING_BYTES = 256 * 1024;
const RETRY_AFTER: Millis = 1_000;

/**
 * The log output for a program that must keep running regardless of problems with its log. If the disk is full, or the
 * reader is stuck or gone, log lines are dropped. The number of dropped lines is logged as soon as there is room again.
 * Writing never throws or blocks. pino's own destination is not used, because it blocks the only thread with endless
 * retries if a disk is full.
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
      // The error cannot be reported anywhere.
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
      // To keep the order, lines after a loss are held back until the loss has been logged.
      if (waiting.length + bytes.length > MAX_WAITING_BYTES || (lost > 0 && waiting.length > 0)) lost += 1;
      else waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      drain();
    },
  };
}

/**
 * Writes to standard output. If standard output is a pipe or a socket, Node makes it non-blocking, so that a stuck
 * reader does not block the program.
 */
function standardOutput({ clock, env, style }: Pick<Terminal, 'clock' | 'env' | 'style'>): LogOutput {
  const { fd, isTTY } = process.stdout;
  const form = isTTY ? readableForm(style.color) : isJournal(fd, env) ? journalForm : jsonForm;
  return createLogOutput({ clock, form, writeSome: (bytes) => writeSync(fd, bytes) });
}

/** Returns whether systemd connected this stream to the journal (see systemd.exec(5)). */
function isJournal(fd: number, { JOURNAL_STREAM: stream }: NodeJS.ProcessEnv): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${String(dev)}:${String(ino)}`;
}

/** Formats a warning like a line from pino. */
function lossLine(lines: number, clock: Clock): string {
  const msg = 'Log lines were dropped because they could not be written';
  return `${JSON.stringify({ level: 'warn', time: new Date(clock.now()).toISOString(), lines, msg })}\n`;
}

/** Formats a log line from pino's JSON. */
type LogForm = (line: string) => string;

/** JSON lines for programs. */
export const jsonForm: LogForm = (line) => line;

/** Lines with a priority at the start, which the journal reads (see sd-daemon(3)). */
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

/**
 * Text for people at a terminal. Other fields follow the message on the same line, and lists follow on separate lines.
 */
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
  // An error as it is serialized by pino.
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value)
    return String(value.message);
  return JSON.stringify(value);
}
