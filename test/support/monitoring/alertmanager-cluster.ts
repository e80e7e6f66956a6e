import { freePort } from '../network/free-port.ts';
import { alertmanagerConfig, runAlertmanager } from './alertmanager-process.ts';
import { parseExposition, type Series } from './exposition.ts';

/** A member of a cluster of Debian's Alertmanager. */
export interface ClusterMember extends AsyncDisposable {
  readonly url: string;
  /** Resolves with the number of members that it knows, including itself, after they have agreed. */
  settled(): Promise<number>;
  /** Returns the causes of the active alerts. */
  causes(): Promise<readonly string[]>;
  /** Returns the sum of its metrics with this name. */
  sum(metric: string): Promise<number>;
}

/**
 * Starts a member for each command line. The addresses in them come from a document, and each is replaced by an
 * address of this machine.
 *
 * @param webhook receives each notification
 * @param more other parts of their configuration, such as `inhibit_rules`
 */
export async function startAlertmanagerCluster(
  commandLines: readonly (readonly string[])[],
  webhook: string,
  more: object = {},
): Promise<readonly ClusterMember[]> {
  const written = new Set(commandLines.flat().flatMap((flag) => flag.match(/[\d.]+:\d+$/u) ?? []));
  const addresses = new Map<string, string>();
  for (const address of written) addresses.set(address, `127.0.0.1:${String(await freePort())}`);
  const here = (flag: string): string => flag.replace(/[\d.]+:\d+$/u, (address) => addresses.get(address) ?? address);
  return Promise.all(commandLines.map((flags) => startMember(flags.map(here), webhook, more)));
}

async function startMember(flags: readonly string[], webhook: string, more: object): Promise<ClusterMember> {
  const receiver = { webhook_configs: [{ url: webhook, send_resolved: true }] };
  const member = await runAlertmanager({ ...alertmanagerConfig(receiver, { group_wait: '1s' }), ...more }, flags);
  const { url } = member;
  return {
    ...member,
    settled: async () => {
      const { cluster } = (await (await fetch(`${url}/api/v2/status`)).json()) as {
        readonly cluster: { readonly status: string; readonly peers?: readonly unknown[] };
      };
      return cluster.status === 'ready' ? (cluster.peers ?? []).length : 0;
    },
    causes: async () => (await member.firing()).map(({ cause = '' }) => cause),
    sum: async (metric) => sumOf(await (await fetch(`${url}/metrics`)).text(), metric),
  };
}

function sumOf(text: string, metric: string): number {
  const own = text.split('\n').filter((line) => line.startsWith(metric));
  return parseExposition(own.join('\n')).reduce((sum: number, { value }: Series) => sum + value, 0);
}
