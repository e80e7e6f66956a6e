import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runAlertmanager, type AlertmanagerProcess } from '../../support/monitoring/alertmanager-process.ts';
import { startPrometheus, type PrometheusProcess } from '../../support/monitoring/prometheus-process.ts';

/** Returns the text of a shipped file, changing only places and waiting times. */
function edited(file: string, edit: readonly (readonly [RegExp, string])[]): string {
  return edit.reduce(
    (text, [pattern, replacement]) => {
      if (!pattern.test(text)) throw new Error(`Cannot prepare "${file}": nothing in it matches ${String(pattern)}`);
      return text.replace(pattern, replacement);
    },
    readFileSync(file, 'utf8'),
  );
}

/** Starts Debian's Alertmanager with the shipped configuration. It sends mail to `smtpPort`. */
export function startShippedAlertmanager(smtpPort: number): Promise<AlertmanagerProcess> {
  return runAlertmanager(
    edited('deploy/alertmanager/alertmanager.yml', [
      [/templates\/\*/u, resolve('deploy/alertmanager/templates/*')],
      [/mail:25/u, `127.0.0.1:${String(smtpPort)}`],
      [/group_wait: 10s/u, 'group_wait: 1s'],
      [/group_interval: 1m/u, 'group_interval: 1s'],
    ]),
  );
}

/** Starts Debian's Prometheus with the shipped configuration and rules, scraping each second. */
export async function startShippedPrometheus(
  alertmanager: string,
  agents: readonly string[],
  site: string,
): Promise<PrometheusProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-prometheus-'));
  cpSync('deploy/prometheus', folder, { recursive: true });
  const text = edited('deploy/prometheus/prometheus.yml', [
    [/alertmanager:9093/u, new URL(alertmanager).host],
    [/scrape_interval: 15s/u, 'scrape_interval: 1s'],
    [/evaluation_interval: 15s/u, 'evaluation_interval: 1s'],
  ]);
  writeFileSync(join(folder, 'prometheus.yml'), text);
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
