import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import type { DaemonHostRequest, DaemonHostSettings } from './daemon-host.ts';
import { startHost } from './host.ts';
import type { InspectedSite } from '../network/inspected-site.ts';

const HOST_MODULE = new URL('daemon-host.ts', import.meta.url);

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
  const host = await startHost<DaemonHostSettings, null, DaemonHostRequest>(HOST_MODULE, settings, site.prefix);
  return {
    configFile,
    status: async () => (await host.ask({ kind: 'status' })) as DiagnosisJson | null,
    mails: async () => (await host.ask({ kind: 'mails' })) as readonly string[],
    hear: async (line) => {
      await host.ask({ kind: 'line', line });
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}
