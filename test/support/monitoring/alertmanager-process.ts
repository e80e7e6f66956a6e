import { freePort } from '../network/free-port.ts';
import { servesAt, startProgram, type StartedProgram } from '../process/start-program.ts';

/** An alert as returned by Alertmanager's API. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: { readonly state: 'active' | 'suppressed' | 'unprocessed' };
}

/** Debian's Alertmanager on loopback. */
export interface AlertmanagerProcess extends StartedProgram {
  readonly url: string;
  /** Returns the alerts that are firing. */
  alerts(): Promise<readonly ActiveAlert[]>;
  /** Returns the labels of the alerts that are firing. */
  firing(): Promise<readonly Readonly<Record<string, string>>[]>;
}

/** Starts Alertmanager without a cluster. It sends firing and resolved alerts to a webhook. */
export function startAlertmanager(webhook: string): Promise<AlertmanagerProcess> {
  return startAlertmanagerFor({ webhook_configs: [{ url: webhook, send_resolved: true }] });
}

/** Starts Alertmanager without a cluster, with any receiver, in the format of its configuration. */
export function startAlertmanagerFor(receiver: object): Promise<AlertmanagerProcess> {
  return runAlertmanager(alertmanagerConfig(receiver, { group_wait: '0s' }));
}

/** Returns a configuration that sends all alerts to a receiver. */
export function alertmanagerConfig(receiver: object, { group_wait }: { readonly group_wait: string }): object {
  const group_by = ['alertname', 'site'];
  return {
    route: { receiver: 'test', group_by, group_wait, group_interval: '1s', repeat_interval: '1h' },
    receivers: [{ name: 'test', ...receiver }],
  };
}

/**
 * @param config an object, or the text of `alertmanager.yml`
 * @param flags flags of a cluster
 */
export async function runAlertmanager(
  config: object | string,
  flags: readonly string[] = ['--cluster.listen-address='],
): Promise<AlertmanagerProcess> {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const program = await startProgram((folder) => ({
    command: [
      'prometheus-alertmanager',
      `--config.file=${folder}/alertmanager.yml`,
      `--storage.path=${folder}/data`,
      `--web.listen-address=${new URL(url).host}`,
      ...flags,
    ],
    // JSON is valid YAML.
    config: { 'alertmanager.yml': typeof config === 'string' ? config : JSON.stringify(config) },
    readyWhen: servesAt(`${url}/-/ready`),
  }));
  const alerts = async (): Promise<readonly ActiveAlert[]> =>
    (await (await fetch(`${url}/api/v2/alerts?active=true`)).json()) as readonly ActiveAlert[];
  return { ...program, url, alerts, firing: async () => (await alerts()).map(({ labels }) => labels) };
}
