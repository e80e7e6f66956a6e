import { createSocket } from 'node:dgram';
import { type DaemonProcess as Spawned, type Ended, portOf, spawnDaemon } from '../../../src/demo/daemon.ts';
import { PROGRAM } from './program.ts';

/** The real daemon in a separate process. */
export interface DaemonProcess extends Spawned {
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

export interface DaemonOptions extends Omit<Parameters<typeof spawnDaemon>[0], 'main'> {
  /** `main.js` of another version of the program. @default this version */
  readonly main?: string;
}

/** Starts `run` without waiting. The process is killed on disposal. */
export function startDaemonProcess({ main = PROGRAM, ...options }: DaemonOptions): DaemonProcess {
  const daemon = spawnDaemon({ main, ...options });
  let hasEnded = false;
  const ended = daemon.ended.finally(() => {
    hasEnded = true;
  });
  const port = async (transport: 'udp' | 'tcp'): Promise<number> =>
    portOf((await daemon.logged('log-listening'))[transport]) ?? 0;
  const signal = (name: NodeJS.Signals): void => {
    process.kill(daemon.pid, name);
  };
  return {
    ...daemon,
    signal,
    page: async () => String((await daemon.logged('page-served'))['url']).replace(/\/$/u, ''),
    syslogPort: () => port('udp'),
    syslogTcpPort: () => port('tcp'),
    end: async (name) => {
      const startedAt = performance.now();
      signal(name);
      return { ...(await ended), tookMs: performance.now() - startedAt };
    },
    [Symbol.asyncDispose]: async () => {
      if (!hasEnded) signal('SIGKILL');
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
