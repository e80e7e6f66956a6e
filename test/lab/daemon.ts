import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { followEvents } from './event-source.ts';
import type { DiagnosisJson } from './event-source.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The real daemon, a process of its own. */
export interface Daemon extends AsyncDisposable {
  /** Of the status page, with a slash at the end. */
  readonly url: string;
  /** UDP port for log lines; null when the configuration has none. */
  readonly syslogPort: number | null;
  /** The same over TCP. */
  readonly syslogTcpPort: number | null;
  readonly pid: number;
  /** Resolves with the exit code when it ends, also by itself; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  /**
   * The latest diagnosis, or the first after it, that is meant. @throws {Error} with what the last one was, when the
   * signal ends it
   */
  diagnosis(isMeant: (diagnosis: DiagnosisJson) => boolean, signal: AbortSignal): Promise<DiagnosisJson>;
  get(path: string): Promise<Response>;
}

/** What a line of the daemon's log may have. */
interface LogLine {
  readonly msg?: string;
  readonly url?: string;
  readonly udp?: { readonly port: number } | null;
  readonly tcp?: { readonly port: number } | null;
}

const LAST_LINES = 20;

/**
 * Starts the daemon in a folder and waits for its page.
 * @param main of another version of the program
 * @throws {Error} with what it said when it ends before
 */
export async function startDaemon(configFile: string, folder: string, main: string = MAIN): Promise<Daemon> {
  const child = spawn(process.execPath, [main, 'run', '--config', configFile], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TZ: process.env['TZ'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal is for the one that started it, who ends it in order.
    detached: true,
  });
  const ended = once(child, 'close').then(([code]: readonly (number | null)[]) => code ?? null);
  const { url, ...ports } = await announced(child, ended);
  return {
    url,
    ...ports,
    pid: child.pid ?? 0,
    ended,
    diagnosis: (isMeant, signal) => firstDiagnosis(`${url}api/v1/events`, isMeant, signal),
    get: (path) => fetch(new URL(path, url)),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function firstDiagnosis(
  url: string,
  isMeant: (diagnosis: DiagnosisJson) => boolean,
  signal: AbortSignal,
): Promise<DiagnosisJson> {
  let last: DiagnosisJson | null = null;
  try {
    for await (const diagnosis of followEvents(url, signal)) {
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

function summaryOf({ ready, causes, preconditions }: DiagnosisJson): string {
  const states = preconditions
    .filter(({ state }) => state !== 'ok')
    .map(({ id, state, summary }) => `${id} ${state} (${summary})`);
  return [ready, ...causes.map(({ id }) => id), ...states].join(', ');
}

/** Lets it learn the licence server's chain, as an administrator does on a path that is known to be clean. */
export async function learnTrust(configFile: string, folder: string, main: string = MAIN): Promise<void> {
  const child = spawn(process.execPath, [main, 'trust', 'learn', '--yes', '--config', configFile], {
    cwd: folder,
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'close')) as readonly (number | null)[];
  if (code !== 0) throw new Error(`Cannot learn the trust of the lab: "trust learn" ended with ${String(code)}`);
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function announced(
  child: Child,
  ended: Promise<number | null>,
): Promise<Pick<Daemon, 'url' | 'syslogPort' | 'syslogTcpPort'>> {
  const said: string[] = [];
  let ports: Pick<Daemon, 'syslogPort' | 'syslogTcpPort'> = { syslogPort: null, syslogTcpPort: null };
  const hear = (line: string): LogLine => {
    said.push(line);
    if (said.length > LAST_LINES) said.shift();
    return parse(line);
  };
  createInterface(child.stderr).on('line', hear);
  const url = await new Promise<string | null>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const { msg = '', url: page, udp, tcp } = hear(line);
      if (/listening for log lines/iu.test(msg)) {
        ports = { syslogPort: udp?.port ?? null, syslogTcpPort: tcp?.port ?? null };
      }
      if (/status page/iu.test(msg) && page !== undefined) resolve(page);
    });
    void ended.then(() => {
      resolve(null);
    });
  });
  if (url === null)
    throw new Error(`The daemon ended with ${String(await ended)} before its page was there:\n${said.join('\n')}`);
  return { url, ...ports };
}

function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return {};
  }
}
