import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { PROGRAM } from './program.ts';

/** A line logged by the daemon: its event, message and fields. */
export interface LogLine {
  readonly event: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface Ended {
  /** null: killed by a signal. */
  readonly code: number | null;
  readonly stderr: string;
}

/** The real daemon in a separate process. */
export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number;
  readonly log: readonly LogLine[];
  readonly ended: Promise<Ended>;
  /** Waits for a line about this event, after skipping `skip` such lines. @throws if the daemon exits before */
  logged(event: string, skip?: number): Promise<LogLine>;
  /** Resolves with the URL of the status page when it is available, without a trailing slash. */
  page(): Promise<string>;
  /** Port for log lines over UDP. */
  syslogPort(): Promise<number>;
  /** Port for log lines over TCP. */
  syslogTcpPort(): Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Sends a signal, and resolves with the exit and the time until then in milliseconds. */
  end(name: NodeJS.Signals): Promise<Ended & { readonly tookMs: number }>;
}

export interface DaemonOptions {
  readonly cwd: string;
  readonly args?: readonly string[];
  /** A command that starts another one, for example in another network namespace. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `main.js` of another version of the program. @default this version */
  readonly main?: string;
}

/** Starts `run` without waiting. The process is killed on disposal. */
export function startDaemonProcess({
  cwd,
  args = [],
  prefix = [],
  env = {},
  main = PROGRAM,
}: DaemonOptions): DaemonProcess {
  const [command = '', ...rest] = [...prefix, process.execPath, main, 'run', ...args];
  const { PATH = '', TZ = '' } = process.env;
  const child = spawn(command, rest, { cwd, env: { PATH, TZ, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log: LogLine[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  let stderr = '';
  let hasEnded = false;
  createInterface(child.stdout).on('line', (line) => {
    log.push(JSON.parse(line) as LogLine);
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

  async function logged(event: string, skip = 0): Promise<LogLine> {
    for (;;) {
      const found = log.filter((line) => line.event === event)[skip];
      if (found !== undefined) return found;
      if (hasEnded)
        throw new Error(`The daemon ended before it logged "${event}":\n${JSON.stringify(log, null, 1)}\n${stderr}`);
      await once(news, 'line');
    }
  }
  async function portOf(transport: 'udp' | 'tcp'): Promise<number> {
    const line = (await logged('log-listening')) as LogLine &
      Readonly<Record<'udp' | 'tcp', { readonly port: number }>>;
    return line[transport].port;
  }
  function signal(name: NodeJS.Signals): void {
    process.kill(child.pid ?? 0, name);
  }

  return {
    pid: child.pid ?? 0,
    log,
    ended,
    logged,
    signal,
    page: async () => String((await logged('page-served'))['url']).replace(/\/$/u, ''),
    syslogPort: () => portOf('udp'),
    syslogTcpPort: () => portOf('tcp'),
    end: async (name) => {
      const startedAt = performance.now();
      signal(name);
      return { ...(await ended), tookMs: performance.now() - startedAt };
    },
    [Symbol.asyncDispose]: async () => {
      if (!hasEnded) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Sends lines over UDP, one per datagram, slowly enough for the kernel to keep up. */
export async function sendLines(port: number, lines: Iterable<string>): Promise<void> {
  const socket = createSocket('udp4');
  try {
    for (const line of lines) {
      await new Promise<void>((resolve, reject) => {
        socket.send(line, port, '127.0.0.1', (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
    }
  } finally {
    socket.close();
  }
}
