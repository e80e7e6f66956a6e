import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { DiagnosisJson } from '../engine/diagnosis-json.ts';
import { fieldsOf, type ReplyFields } from '../network/rest/reply-values.ts';
import { followEvents } from './event-source.ts';

/** The real daemon in a separate process. */
export interface Daemon extends AsyncDisposable {
  /** URL of the status page, with a trailing slash. */
  readonly url: string;
  /** UDP port for log lines; null if the configuration has none. */
  readonly syslogPort: number | null;
  /** TCP port for log lines; null if the configuration has none. */
  readonly syslogTcpPort: number | null;
  readonly pid: number;
  /** Resolves with the exit code when the daemon exits, even unexpectedly; null: killed by a signal. */
  readonly ended: Promise<number | null>;
  /**
   * Returns the latest diagnosis, or the first after it, that matches. @throws {Error} with the last diagnosis if the
   * signal aborts
   */
  diagnosis(isMeant: (diagnosis: DiagnosisJson) => boolean, signal: AbortSignal): Promise<DiagnosisJson>;
  get(path: string): Promise<Response>;
}

const LAST_LINES = 20;

/**
 * Starts the daemon in a folder and waits for its page.
 * @param main `main.ts` of a checkout, or `main.js` of a built program
 * @throws {Error} with its output if it exits before
 */
export async function startDaemon(configFile: string, folder: string, main: string): Promise<Daemon> {
  const child = spawn(process.execPath, [main, 'run', '--config', configFile], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TZ: process.env['TZ'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A separate process group, because Ctrl-C in the terminal is meant for the parent, which stops the daemon in
    // order.
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

/** Stores the licence server's chain as trusted, as an administrator does on a path that is known to be clean. */
export async function learnTrust(configFile: string, folder: string, main: string): Promise<void> {
  const child = spawn(process.execPath, [main, 'trust', 'learn', '--yes', '--config', configFile], {
    cwd: folder,
    stdio: 'ignore',
  });
  const code = await once(child, 'close').then(([ended]: readonly (number | null)[]) => ended);
  if (code !== 0) throw new Error(`Cannot learn the trust of the lab: "trust learn" ended with ${String(code)}`);
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function announced(
  child: Child,
  ended: Promise<number | null>,
): Promise<Pick<Daemon, 'url' | 'syslogPort' | 'syslogTcpPort'>> {
  const said: string[] = [];
  let ports: Pick<Daemon, 'syslogPort' | 'syslogTcpPort'> = { syslogPort: null, syslogTcpPort: null };
  const hear = (line: string): ReplyFields => {
    said.push(line);
    if (said.length > LAST_LINES) said.shift();
    return parse(line);
  };
  createInterface(child.stderr).on('line', hear);
  const url = await new Promise<string | null>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const { event, url: page, udp, tcp } = hear(line);
      if (event === 'log-listening') {
        ports = { syslogPort: portOf(udp), syslogTcpPort: portOf(tcp) };
      }
      if (event === 'page-served' && typeof page === 'string') resolve(page);
    });
    void ended.then(() => {
      resolve(null);
    });
  });
  if (url === null)
    throw new Error(`The daemon ended with ${String(await ended)} before its page was there:\n${said.join('\n')}`);
  return { url, ...ports };
}

function parse(line: string): ReplyFields {
  try {
    return fieldsOf(JSON.parse(line));
  } catch {
    return {};
  }
}

function portOf(listener: unknown): number | null {
  const { port } = fieldsOf(listener);
  return typeof port === 'number' ? port : null;
}
