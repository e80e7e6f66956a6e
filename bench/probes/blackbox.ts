import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL_HOSTS, LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { freePort } from '../../test/support/network/free-port.ts';
import { endProcess } from '../child-process.ts';
import type { Site } from './site.ts';

export const BLACKBOX = '/usr/bin/prometheus-blackbox-exporter';

/** One request from Prometheus to the exporter. */
export interface BlackboxProbe {
  readonly module: string;
  readonly target: string;
}

/** Debian's blackbox_exporter, queried over HTTP on persistent connections, as Prometheus does it. */
export interface Blackbox extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** From the start of the process to the first answer of `/metrics`. */
  readonly startedAfterMs: number;
  /** @throws {Error} if the probe fails */
  probe(probe: BlackboxProbe): Promise<void>;
}

/** @throws {Error} if blackbox_exporter is not installed */
export async function startBlackbox(site: Site): Promise<Blackbox> {
  if (!existsSync(BLACKBOX))
    throw new Error(`Cannot find ${BLACKBOX}: install the Debian package "prometheus-blackbox-exporter"`);
  const file = join(site.folder, 'blackbox.json');
  // JSON is valid YAML.
  await writeFile(file, JSON.stringify({ modules: modules(site) }));
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const started = performance.now();
  const child = spawn(BLACKBOX, [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${String(port)}`], {
    stdio: 'ignore',
  });
  const agent = new Agent({ keepAlive: true });
  const ask = (path: string): Promise<string> => fetchText(`${url}${path}`, agent);
  while ((await ask('/metrics').catch(() => null)) === null) await sleep(2);
  return {
    name: 'blackbox_exporter',
    pid: child.pid ?? 0,
    startedAfterMs: performance.now() - started,
    probe: async ({ module, target }) => {
      const metrics = await ask(`/probe?module=${module}&target=${encodeURIComponent(target)}`);
      if (!metrics.includes('\nprobe_success 1\n'))
        throw new Error(`blackbox_exporter's ${module} did not succeed at ${target}:\n${metrics}`);
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await endProcess(child);
    },
  };
}

/** Probes for the licence server and both control hosts: A, AAAA, the port, the handshake, the answer. */
export function sameSeries({ ports }: Site): readonly BlackboxProbe[] {
  const resolver = `127.0.0.1:${String(ports.dns)}`;
  return [ports.license, ...ports.controls].flatMap((port, host) => {
    const target = `127.0.0.1:${String(port)}`;
    return [
      { module: `dns_a_${String(host)}`, target: resolver },
      { module: `dns_aaaa_${String(host)}`, target: resolver },
      { module: 'tcp', target },
      { module: `tls_${String(host)}`, target },
      { module: `http_${String(host)}`, target: `https://${target}/` },
    ];
  });
}

/** Probes for A, the port, the handshake and the answer of the licence server; only the answer of each control host. */
export function fewestProbes(site: Site): readonly BlackboxProbe[] {
  const needed = ['dns_a_0', 'tcp', 'tls_0', 'http_0', 'http_1', 'http_2'];
  return needed.flatMap((module) => sameSeries(site).find((probe) => probe.module === module) ?? []);
}

function modules({ fortinetCa, otherCa }: Site): Readonly<Record<string, unknown>> {
  const hosts = [
    { name: LICENSE_HOST, method: 'GET', caFile: fortinetCa },
    ...CONTROL_HOSTS.map((name) => ({ name, method: 'HEAD', caFile: otherCa })),
  ];
  const family = { preferred_ip_protocol: 'ip4' };
  const of = (prober: string, settings: object): object => ({ prober, timeout: '5s', [prober]: settings });
  return Object.fromEntries([
    ['tcp', of('tcp', family)],
    ...hosts.flatMap(({ name, method, caFile }, index) => {
      const host = String(index);
      const tls = { tls_config: { server_name: name, ca_file: caFile } };
      const request = { method, headers: { Host: name }, valid_status_codes: [200, 404], follow_redirects: false };
      return [
        [`dns_a_${host}`, of('dns', { query_name: name, query_type: 'A', ...family })],
        [`dns_aaaa_${host}`, of('dns', { query_name: name, query_type: 'AAAA', ...family })],
        [`tls_${host}`, of('tcp', { ...family, tls: true, ...tls })],
        [`http_${host}`, of('http', { ...request, ...family, ...tls })],
      ];
    }),
  ]) as Readonly<Record<string, unknown>>;
}

function fetchText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      text(response).then(resolve, reject);
    }).once('error', reject);
  });
}
