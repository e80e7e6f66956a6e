import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/network/free-port.ts';
import { endProcess } from '../child-process.ts';
import { modules } from './blackbox-modules.ts';
import type { ModuleName } from './blackbox-modules.ts';
import type { ProbeKind } from './kinds.ts';
import type { Prober } from './prober.ts';
import type { Site } from './site.ts';

export const BLACKBOX = '/usr/bin/prometheus-blackbox-exporter';

/** One request from Prometheus to the exporter. */
export interface BlackboxProbe {
  readonly module: ModuleName;
  readonly target: string;
}

/** Debian's blackbox_exporter, queried over HTTP on persistent connections, as Prometheus does it. */
export interface Blackbox extends Prober<ProbeKind> {
  readonly url: string;
  /** From the start of the process to the first answer of `/metrics`. */
  readonly startedAfterMs: number;
  /** @throws {Error} if the probe fails */
  probe(probe: BlackboxProbe): Promise<void>;
  /** Measures the cost of an HTTP request without a probe. */
  idleRequests(concurrency: number, milliseconds: number): Promise<number>;
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
  const startedAfterMs = performance.now() - started;
  const probe = async ({ module, target }: BlackboxProbe): Promise<void> => {
    const metrics = await ask(`/probe?module=${module}&target=${encodeURIComponent(target)}`);
    if (!metrics.includes('\nprobe_success 1\n'))
      throw new Error(`blackbox_exporter's ${module} did not succeed at ${target}:\n${metrics}`);
  };
  return {
    pid: child.pid ?? 0,
    url,
    startedAfterMs,
    probe,
    load: ({ kind, concurrency, milliseconds }) =>
      repeat(concurrency, milliseconds, async () => {
        for (const one of equivalentOf(kind, site)) await probe(one);
      }),
    idleRequests: (concurrency, milliseconds) => repeat(concurrency, milliseconds, () => ask('/-/healthy')),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await endProcess(child);
    },
  };
}

/** Returns the blackbox_exporter probes that together observe the same as one of ours. */
function equivalentOf(kind: ProbeKind, { ports }: Site): readonly BlackboxProbe[] {
  const at = (port: number): string => `127.0.0.1:${String(port)}`;
  switch (kind) {
    case 'dns':
      return dnsProbes('license', at(ports.dns));
    case 'tcp':
      return [{ module: 'tcp', target: at(ports.ecdsa) }];
    case 'tls-rsa':
      return [{ module: 'tls_license', target: at(ports.rsa) }];
    case 'tls-ecdsa':
      return [{ module: 'tls_license', target: at(ports.ecdsa) }];
    case 'https-rsa':
      return [{ module: 'http_license', target: `https://${at(ports.rsa)}/` }];
    case 'https-ecdsa':
      return [{ module: 'http_license', target: `https://${at(ports.ecdsa)}/` }];
    case 'mail':
      return [{ module: 'smtp_starttls', target: at(ports.mail) }];
  }
}

/** Both address families, because each of our lookups queries both. */
export function dnsProbes(host: 'license' | 'control_0' | 'control_1', resolver: string): readonly BlackboxProbe[] {
  return [
    { module: `dns_a_${host}`, target: resolver },
    { module: `dns_aaaa_${host}`, target: resolver },
  ];
}

async function repeat(concurrency: number, milliseconds: number, work: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + milliseconds;
  let done = 0;
  async function one(): Promise<void> {
    while (performance.now() < end) {
      await work();
      done += 1;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one));
  return done;
}

function fetchText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      text(response).then(resolve, reject);
    }).once('error', reject);
  });
}
