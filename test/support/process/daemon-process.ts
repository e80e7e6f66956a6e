import { createSocket } from 'node:dgram';
import { type DaemonProcess as Spawned, type Ended, portOf, spawnDaemon, summaryOf } from '../../../src/demo/daemon.ts';
import { followDiagnoses } from '../../../src/demo/diagnoses.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import type { incidentsToJson } from '../../../src/web/incident-json.ts';
import { PROGRAM } from './program.ts';

type IncidentJson = ReturnType<typeof incidentsToJson>[number];

/** The real daemon, and what can be asked of it. */
export interface DaemonProcess extends Spawned {
  /** Resolves with the present URL of the status page when it is available, without a trailing slash. */
  page(): Promise<string>;
  /** Port for log lines over UDP. */
  syslogPort(): Promise<number>;
  /** Port for log lines over TCP. */
  syslogTcpPort(): Promise<number>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Returns the text at this path, empty if it cannot be read. */
  read(path: string): Promise<string>;
  status(): Promise<DiagnosisJson | null>;
  /** Returns the latest diagnosis, or the first after it, that matches. */
  diagnosis(isMeant: (diagnosis: DiagnosisJson) => boolean): Promise<DiagnosisJson>;
  /** Returns the value of a series in `/metrics`; NaN if there is none. */
  value(series: string): Promise<number>;
  openIncidents(): Promise<readonly IncidentJson[]>;
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
  return askable(daemon, (name) => void process.kill(daemon.pid, name), 'SIGKILL');
}

const DIAGNOSED_WITHIN = 30_000;

/** @param last the signal on disposal */
export function askable(daemon: Spawned, signal: (name: NodeJS.Signals) => void, last: NodeJS.Signals): DaemonProcess {
  let hasEnded = false;
  const gone = new AbortController();
  const ended = daemon.ended.finally(() => {
    hasEnded = true;
    gone.abort(new Error('The daemon has ended'));
  });
  const port = async (transport: 'udp' | 'tcp'): Promise<number> =>
    portOf((await daemon.logged('log-listening'))[transport]) ?? 0;
  async function page(): Promise<string> {
    await daemon.logged('page-served');
    return String(daemon.log.findLast(({ event }) => event === 'page-served')?.['url']).replace(/\/$/u, '');
  }
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, await page()), init);

  async function diagnosis(isMeant: (diagnosis: DiagnosisJson) => boolean): Promise<DiagnosisJson> {
    let seen: DiagnosisJson | null = null;
    const signal = AbortSignal.any([AbortSignal.timeout(DIAGNOSED_WITHIN), gone.signal]);
    try {
      for await (const one of followDiagnoses(`${await page()}/`, signal)) {
        if (isMeant(one)) return one;
        seen = one;
      }
    } catch (cause) {
      const summary = seen === null ? 'none' : summaryOf(seen);
      throw new Error(`The diagnosis that is meant did not come; the last one was: ${summary}`, { cause });
    }
    throw new Error('Cannot be: it is followed until the signal aborts');
  }

  return {
    ...daemon,
    signal,
    page,
    fetch: ask,
    read: async (path) => {
      const response = await ask(path);
      return response.ok ? response.text() : '';
    },
    status: async () => statusOf(await page()),
    diagnosis,
    value: async (series) => valueIn(await metricsOf(await page()), series),
    openIncidents: async () => {
      const { incidents } = (await (await ask('api/v1/incidents')).json()) as { incidents: readonly IncidentJson[] };
      return incidents.filter(({ status }) => status === 'open');
    },
    syslogPort: () => port('udp'),
    syslogTcpPort: () => port('tcp'),
    end: async (name) => {
      const startedAt = performance.now();
      signal(name);
      return { ...(await ended), tookMs: performance.now() - startedAt };
    },
    [Symbol.asyncDispose]: async () => {
      if (!hasEnded) signal(last);
      await ended;
    },
  };
}

/** Returns `/api/v1/status`; null before the first round. */
export async function statusOf(page: string): Promise<DiagnosisJson | null> {
  const response = await fetch(`${page}/api/v1/status`);
  return response.ok ? ((await response.json()) as DiagnosisJson) : null;
}

export async function metricsOf(page: string): Promise<string> {
  // A daemon that is late closes a connection that looks idle, perhaps just when it is used again.
  return (await fetch(`${page}/metrics`, { headers: { Connection: 'close' } })).text();
}

/** Returns the value of a series as in `/metrics`: `name{label="value"}`. NaN if there is none. */
export function valueIn(metrics: string, series: string): number {
  const line = metrics.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1));
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
