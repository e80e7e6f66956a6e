import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAlertmanagerFor } from '../../test/support/monitoring/alertmanager-process.ts';
import { startPrometheus } from '../../test/support/monitoring/prometheus-process.ts';
import { sameSeries } from '../daemon/round.ts';
import { startOwnDaemon } from '../daemon/own-daemon.ts';
import { startBlackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';

/** Everything that runs to get a mail about a fault. */
export interface Monitor extends AsyncDisposable {
  readonly name: string;
  /** The processes, each with its name. */
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

export const STACK_PACKAGES: readonly string[] = ['prometheus', 'prometheus-alertmanager'];

export function hasStack(): boolean {
  return STACK_PACKAGES.every((name) => existsSync(`/usr/bin/${name}`));
}

const SENDER = 'monitor@example.org';
const ADMINISTRATOR = 'admin@example.org';

/** @param mailPort where its mails are accepted */
export async function startOwn(site: Site, mailPort: number): Promise<Monitor> {
  const email = {
    from: SENDER,
    to: [ADMINISTRATOR],
    servers: [{ host: '127.0.0.1', port: mailPort, security: 'none' }],
  };
  const daemon = await startOwnDaemon(site, false, { notify: { email } });
  return {
    name: 'ftm-watch, a round every 30 s',
    processes: [{ name: 'ftm-watch', pid: daemon.pid }],
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/**
 * Debian's blackbox_exporter, Prometheus and Alertmanager, with a probe for each series that a round measures and one
 * rule for all of them. They send a mail as soon as they can: without `for`, and without `group_wait`.
 */
export async function startStack(site: Site, mailPort: number, seconds: number): Promise<Monitor> {
  const folder = join(site.folder, `stack-${String(seconds)}`);
  await mkdir(folder);
  await using stack = new AsyncDisposableStack();
  const alertmanager = stack.use(
    await startAlertmanagerFor({
      email_configs: [
        { from: SENDER, to: ADMINISTRATOR, smarthost: `127.0.0.1:${String(mailPort)}`, require_tls: false },
      ],
    }),
  );
  const blackbox = stack.use(await startBlackbox(site));
  const interval = `${String(seconds)}s`;
  const configuration = {
    global: { scrape_interval: interval, scrape_timeout: '10s', evaluation_interval: interval },
    rule_files: ['rules.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.url).host] }] }] },
    scrape_configs: sameSeries(site).map(({ module, target }, index) => ({
      job_name: `${module}-${String(index)}`,
      metrics_path: '/probe',
      params: { module: [module], target: [target] },
      static_configs: [{ targets: [new URL(blackbox.url).host] }],
    })),
  };
  const rule = { alert: 'ProbeFailed', expr: 'probe_success == 0', labels: { site: 'bench' } };
  // JSON is valid YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(configuration));
  await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'bench', rules: [rule] }] }));
  const prometheus = stack.use(await startPrometheus(folder));
  const owned = stack.move();
  return {
    name: `blackbox_exporter, Prometheus and Alertmanager, every ${String(seconds)} s`,
    processes: [
      { name: 'blackbox_exporter', pid: blackbox.pid },
      { name: 'Prometheus', pid: prometheus.pid },
      { name: 'Alertmanager', pid: alertmanager.pid },
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
