import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DiagnosisJson } from '../../../src/engine/diagnosis-json.ts';
import type { DaemonHostRequest, DaemonHostSettings } from './daemon-host.ts';
import type { InspectedSite } from '../network/inspected-site.ts';

const HOST_PROGRAM = fileURLToPath(new URL('daemon-host.ts', import.meta.url));

/** The real daemon at a site. */
export interface SiteDaemon extends AsyncDisposable {
  /** Its configuration file. Commands that use it connect to this daemon. */
  readonly configFile: string;
  /** Returns `/api/v1/status`; null before the first round. */
  status(): Promise<DiagnosisJson | null>;
  /** Returns the mails sent to the site's mail server, as received, oldest first. */
  mails(): Promise<readonly string[]>;
  /** Sends a syslog line over UDP, from loopback. */
  hear(line: string): Promise<void>;
}

/**
 * Starts the daemon with the site's configuration and additional keys, and waits for its page.
 * @param mailPort port of a mail server on loopback, for the configuration @default none
 */
export async function startSiteDaemon(
  site: InspectedSite,
  more: Readonly<Record<string, unknown>>,
  mailPort: number | null = null,
): Promise<SiteDaemon> {
  const configFile = await site.configure(more);
  const settings: DaemonHostSettings = { configFile, folder: site.folder, mailPort };
  const [program = '', ...rest] = site.prefix;
  const host = fork(HOST_PROGRAM, { execPath: program, execArgv: [...rest, process.execPath], stdio: 'inherit' });
  await ask(host, settings);
  return {
    configFile,
    status: async () => (await ask(host, { kind: 'status' })) as DiagnosisJson | null,
    mails: async () => (await ask(host, { kind: 'mails' })) as readonly string[],
    hear: async (line) => {
      await ask(host, { kind: 'line', line });
    },
    [Symbol.asyncDispose]: async () => {
      const gone = once(host, 'exit');
      host.disconnect();
      await gone;
    },
  };
}

async function ask(host: ChildProcess, request: DaemonHostRequest | DaemonHostSettings): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const answer = Promise.race([once(host, 'message', { signal }), once(host, 'exit', { signal })]);
    host.send(request);
    const [reply]: readonly unknown[] = await answer;
    if (typeof reply === 'number') throw new Error(`Cannot ask the daemon at the site: it ended with ${String(reply)}`);
    return reply;
  } finally {
    settled.abort();
  }
}
