import { fieldsOf, type Fields } from '../core/fields.ts';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { DiagnosisJson } from '../checks/diagnosis-json.ts';
import { followDiagnoses } from './diagnoses.ts';

/** A line logged by the daemon: its event, message and fields. */
export interface LogLine extends Fields {
  readonly event: string;
  readonly msg: string;
}

export interface Ended {
  /** null: killed by a signal. */
  readonly code: number | null;
  readonly stderr: string;
}

/** The real daemon in a separate process, which is stopped on disposal. */
export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** Resolves when the daemon exits, even unexpectedly. */
  readonly ended: Promise<Ended>;
  /** Waits for a line about this event, after skipping `skip` such lines. @throws if the daemon exits before */
  logged(event: string, skip?: number): Promise<LogLine>;
}

export interface DaemonOptions {
  readonly cwd: string;
  readonly args?: readonly string[];
  /** A command that starts another one, for example in another network namespace. */
  readonly prefix?: readonly string[];
  /** In addition to PATH and TZ, the only variables that it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** `main.ts` of a checkout, or `main.js` of a built program. */
  readonly main: string;
  /** In a separate process group, which Ctrl-C in the terminal does not reach. */
  readonly detached?: boolean;
}

const MOST_LINES = 10_000;

/** Starts `run` without waiting for anything. */
export function spawnDaemon(options: DaemonOptions): DaemonProcess {
  const { cwd, args = [], prefix = [], env = {}, main, detached = false } = options;
  const [command = '', ...rest] = [...prefix, process.execPath, main, 'run', ...args];
  const { PATH = '', TZ = '' } = process.env;
  const child = spawn(command, rest, { cwd, env: { PATH, TZ, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached });
  const log: LogLine[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  let stderr = '';
  let hasEnded = false;
  createInterface(child.stdout).on('line', (text) => {
    log.push(parse(text));
    if (log.length > MOST_LINES) log.shift();
    news.emit('line');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]: readonly (number | null)[]): Ended => {
    hasEnded = true;
    news.emit('line');
    return { code: code ?? null, stderr };
  });
  return {
    pid: child.pid ?? 0,
    log,
    ended,
    logged: async (event, skip = 0) => {
      for (;;) {
        const found = log.filter((line) => line.event === event)[skip];
        if (found !== undefined) return found;
        if (hasEnded)
          throw new Error(`The daemon ended before it logged "${event}":\n${JSON.stringify(log, null, 1)}\n${stderr}`);
        await once(news, 'line');
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (!hasEnded) child.kill('SIGTERM');
      await ended;
    },
  };
}

function parse(text: string): LogLine {
  const fields = parsed(text);
  return { ...fields, event: String(fields['event']), msg: String(fields['msg']) };
}

function parsed(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return { msg: text };
  }
}

/** A daemon whose page is there. */
export interface Daemon extends DaemonProcess {
  /** URL of the status page, with a trailing slash. */
  readonly url: string;
  /** UDP port for log lines; null if the configuration has none. */
  readonly syslogPort: number | null;
  /** TCP port for log lines; null if the configuration has none. */
  readonly syslogTcpPort: number | null;
  /**
   * Returns the latest diagnosis, or the first after it, that matches. @throws {Error} with the last diagnosis if the
   * signal aborts
   */
  diagnosis(isMeant: (diagnosis: DiagnosisJson) => boolean, signal: AbortSignal): Promise<DiagnosisJson>;
  get(path: string): Promise<Response>;
}

/**
 * Starts the daemon in a folder and waits for its page.
 * @throws {Error} with its output if it exits before
 */
export async function startDaemon(configFile: string, folder: string, main: string): Promise<Daemon> {
  const daemon = spawnDaemon({ cwd: folder, args: ['--config', configFile], main, detached: true });
  const url = String((await daemon.logged('page-served'))['url']);
  const listening = daemon.log.find(({ event }) => event === 'log-listening');
  return {
    ...daemon,
    url,
    syslogPort: portOf(listening?.['udp']),
    syslogTcpPort: portOf(listening?.['tcp']),
    diagnosis: (isMeant, signal) => firstDiagnosis(url, isMeant, signal),
    get: (path) => fetch(new URL(path, url)),
  };
}

/** Null if it does not listen. */
export function portOf(listener: unknown): number | null {
  const { port } = fieldsOf(listener);
  return typeof port === 'number' ? port : null;
}

async function firstDiagnosis(
  url: string,
  isMeant: (diagnosis: DiagnosisJson) => boolean,
  signal: AbortSignal,
): Promise<DiagnosisJson> {
  let last: DiagnosisJson | null = null;
  try {
    for await (const diagnosis of followDiagnoses(url, signal)) {
      if (isMeant(diagnosis)) return diagnosis;
      last = diagnosis;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw new Error(
    `The diagnosis that is meant did not come; the last one was: ${last === null ? 'none' : summaryOf(last)}`,
  );
}

/** Returns a summary of a diagnosis, without the parts that are ok. */
export function summaryOf({ ready, causes, preconditions }: DiagnosisJson): string {
  const states = preconditions
    .filter(({ state }) => state !== 'ok')
    .map(({ id, state, summary }) => `${id} ${state} (${summary})`);
  return [ready, ...causes.map(({ id, subject }) => `${id} ${subject}`), ...states].join(', ');
}

/** Stores the licence server's chain as trusted, as an administrator does on a path that is known to be clean. */
export async function learnTrust(configFile: string, folder: string, main: string): Promise<void> {
  const child = spawn(process.execPath, [main, 'trust', 'learn', '--yes', '--config', configFile], {
    cwd: folder,
    stdio: 'ignore',
  });
  const code = await once(child, 'close').then(([ended]: readonly (number | null)[]) => ended);
  if (code !== 0) throw new Error(`Cannot learn the trust of the lab: "trust learn" ended with ${String(code)}`);
}
