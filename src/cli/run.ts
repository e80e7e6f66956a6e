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
 * The daemon: returns when it was told to stop.
 * @throws {Error} saying what to do, when it cannot start or cannot go on
 */
export async function run(terminal: Invocation): Promise<number> {
  let reload = (): void => undefined;
  // From the beginning, since nobody listening would end the process; until the file is read, there is nothing to read
  // again.
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
  using _watchdog = watchLoop(clock, logger);
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

/** Where a logger writes its lines; pino takes it for a destination. */
export interface LogOutput {
  write(line: string): void;
}

export interface LogOutputOptions {
  readonly clock: Clock;
  readonly form: LogForm;
  /** Writes as much as there is room for and gives the number of bytes. @throws what Node does when there is none */
  readonly writeSome: (bytes: Uint8Array) => number;
}

/** Waits for room; beyond it new lines are given up. */
const MAX_WAITING_BYTES = 256 * 1024;
const RETRY_AFTER: Millis = 1_000;

/**
 * The log of a program that must go on whatever becomes of its log: a full disk, a reader that does not read or is gone
 * cost log lines, and how many is said as soon as there is room again. Nothing here throws, and nothing waits: pino's
 * own destination tries again for ever, on the only thread there is, when a disk is full.
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
      // There is no place left to say so.
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
      // After a loss the order is kept: what comes next waits until the loss has been told.
      if (waiting.length + bytes.length > MAX_WAITING_BYTES || (lost > 0 && waiting.length > 0)) lost += 1;
      else waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      drain();
    },
  };
}

/**
 * On standard output. Node has made that non-blocking where it is a pipe or a socket, so that a reader that sleeps
 * holds nothing up.
 */
function standardOutput({ clock, env, style }: Pick<Terminal, 'clock' | 'env' | 'style'>): LogOutput {
  const { fd, isTTY } = process.stdout;
  const form = isTTY ? readableForm(style.color) : isJournal(fd, env) ? journalForm : jsonForm;
  return createLogOutput({ clock, form, writeSome: (bytes) => writeSync(fd, bytes) });
}

/** systemd.exec(5): whether it is the very stream that systemd has connected with the journal. */
function isJournal(fd: number, { JOURNAL_STREAM: stream }: NodeJS.ProcessEnv): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${String(dev)}:${String(ino)}`;
}

/** In the form of pino's lines, as a warning. */
function lossLine(lines: number, clock: Clock): string {
  const msg = 'Log lines were lost: they could not be written';
  return `${JSON.stringify({ level: 'warn', time: new Date(clock.now()).toISOString(), lines, msg })}\n`;
}

/** How a line of the log is written, from the JSON that pino makes of it. */
export type LogForm = (line: string) => string;

/** For programs. */
export const jsonForm: LogForm = (line) => line;

/** sd-daemon(3): the journal takes the priority from the beginning of the line. */
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

/** For people at a terminal: what else belongs to a line stands behind it, and below it where it is a list. */
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
  // What pino makes of an error.
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value)
    return String(value.message);
  return JSON.stringify(value);
}
