import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';

/** Debian's Alertmanager on loopback, without a cluster. It sends firing and resolved alerts to a webhook. */
export interface AlertmanagerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  /** Returns the labels of the alerts that are firing. */
  firing(): Promise<readonly Readonly<Record<string, string>>[]>;
}

export function startAlertmanager(webhook: string): Promise<AlertmanagerProcess> {
  return startAlertmanagerFor({ webhook_configs: [{ url: webhook, send_resolved: true }] });
}

/** Starts Alertmanager with any receiver, in the format of its configuration. */
export async function startAlertmanagerFor(receiver: object): Promise<AlertmanagerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-alertmanager-'));
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const config = {
    route: {
      receiver: 'test',
      group_by: ['alertname', 'site'],
      group_wait: '0s',
      group_interval: '1s',
      repeat_interval: '1h',
    },
    receivers: [{ name: 'test', ...receiver }],
  };
  // JSON is valid YAML.
  writeFileSync(join(folder, 'alertmanager.yml'), JSON.stringify(config));
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await isReady(url))) await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    pid: child.pid ?? 0,
    url,
    async firing() {
      const response = await fetch(`${url}/api/v2/alerts?active=true`);
      const alerts = (await response.json()) as readonly { readonly labels: Readonly<Record<string, string>> }[];
      return alerts.map(({ labels }) => labels);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok;
  } catch {
    return false;
  }
}
