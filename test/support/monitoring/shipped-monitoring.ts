import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { isReady } from './http-ready.ts';
import { startPrometheus } from './prometheus-process.ts';
import type { PrometheusProcess } from './prometheus-process.ts';

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: { readonly state: 'active' | 'suppressed' | 'unprocessed' };
}

export interface Alertmanager extends AsyncDisposable {
  readonly url: string;
  alerts(): Promise<readonly ActiveAlert[]>;
}

/**
 * Copies the shipped files into a separate folder, changing only ports and waiting times, and adding a webhook to
 * each mail.
 */
function copied(name: string, edit: readonly (readonly [RegExp, string])[]): string {
  const folder = mkdtempSync(join(tmpdir(), `ftm-watch-${name}-`));
  cpSync(join('deploy', name), folder, { recursive: true });
  const file = join(folder, `${name}.yml`);
  let text = readFileSync(file, 'utf8');
  for (const [pattern, replacement] of edit) {
    if (!pattern.test(text)) throw new Error(`Cannot prepare "${file}": nothing in it matches ${String(pattern)}`);
    text = text.replace(pattern, replacement);
  }
  writeFileSync(file, text);
  return folder;
}

/** Starts Debian's Alertmanager with the shipped configuration. It sends mail to `smtpPort`. */
export async function startShippedAlertmanager(smtpPort: number): Promise<Alertmanager> {
  const folder = copied('alertmanager', [
    [/mail:25/u, `127.0.0.1:${String(smtpPort)}`],
    [/group_wait: 10s/u, 'group_wait: 1s'],
    [/group_interval: 1m/u, 'group_interval: 1s'],
  ]);
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const options = [
    `--config.file=${folder}/alertmanager.yml`,
    `--storage.path=${folder}/data`,
    `--web.listen-address=${new URL(url).host}`,
  ];
  const child = spawn('prometheus-alertmanager', [...options, '--cluster.listen-address='], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await isReady(url))) await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    url,
    async alerts() {
      return (await (await fetch(`${url}/api/v2/alerts`)).json()) as readonly ActiveAlert[];
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts Debian's Prometheus with the shipped configuration and rules, scraping each second. */
export async function startShippedPrometheus(
  alertmanager: string,
  agents: readonly string[],
  site: string,
): Promise<PrometheusProcess> {
  const folder = copied('prometheus', [
    [/alertmanager:9093/u, new URL(alertmanager).host],
    [/scrape_interval: 15s/u, 'scrape_interval: 1s'],
    [/evaluation_interval: 15s/u, 'evaluation_interval: 1s'],
  ]);
  const targets = [{ targets: agents.map((url) => new URL(url).host), labels: { site } }];
  // JSON is valid YAML.
  writeFileSync(join(folder, 'targets/ftm-watch.yml'), JSON.stringify(targets));
  const prometheus = await startPrometheus(folder);
  return {
    ...prometheus,
    async [Symbol.asyncDispose]() {
      await prometheus[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
