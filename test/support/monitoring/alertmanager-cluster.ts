import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { isReady } from './http-ready.ts';
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
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-cluster-'));
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const config = {
    route: {
      receiver: 'test',
      group_by: ['alertname', 'site'],
      group_wait: '1s',
      group_interval: '1s',
      repeat_interval: '1h',
    },
    receivers: [{ name: 'test', webhook_configs: [{ url: webhook, send_resolved: true }] }],
    ...more,
  };
  // JSON is valid YAML.
  writeFileSync(join(folder, 'alertmanager.yml'), JSON.stringify(config));
  const options = [
    `--config.file=${folder}/alertmanager.yml`,
    `--storage.path=${folder}/data`,
    `--web.listen-address=${new URL(url).host}`,
  ];
  const child = spawn('prometheus-alertmanager', [...options, ...flags], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await isReady(url))) await new Promise((resolve) => setTimeout(resolve, 50));
  const get = async (path: string): Promise<unknown> => (await fetch(`${url}/api/v2/${path}`)).json();
  return {
    url,
    settled: async () => {
      const { cluster } = (await get('status')) as {
        readonly cluster: { readonly status: string; readonly peers?: readonly unknown[] };
      };
      return cluster.status === 'ready' ? (cluster.peers ?? []).length : 0;
    },
    causes: async () => {
      const alerts = (await get('alerts?active=true')) as readonly {
        readonly labels: Readonly<Record<string, string>>;
      }[];
      return alerts.map(({ labels }) => labels['cause'] ?? '');
    },
    sum: async (metric) => sumOf(await (await fetch(`${url}/metrics`)).text(), metric),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function sumOf(text: string, metric: string): number {
  const own = text.split('\n').filter((line) => line.startsWith(metric));
  return parseExposition(own.join('\n')).reduce((sum: number, { value }: Series) => sum + value, 0);
}
