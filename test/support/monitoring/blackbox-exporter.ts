import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';

/** Debian's blackbox exporter on loopback, with modules that check the same as our modules of the same name. */
export interface BlackboxExporter extends AsyncDisposable {
  /** Returns the response to `/probe`. */
  probe(module: string, target: string): Promise<string>;
}

const TLS = { insecure_skip_verify: true } as const;
const V4 = { preferred_ip_protocol: 'ip4' } as const;

function modules(name: string): object {
  const rehearsal = [
    { expect: '^220' },
    { send: 'EHLO probe\r' },
    { expect: '^250-STARTTLS' },
    { send: 'STARTTLS\r' },
    { expect: '^220' },
    { starttls: true },
    { send: 'QUIT\r' },
  ];
  return {
    dns: { prober: 'dns', dns: { ...V4, transport_protocol: 'udp', query_name: name, query_type: 'A' } },
    tcp: { prober: 'tcp', tcp: V4 },
    tls: { prober: 'tcp', tcp: { ...V4, tls: true, tls_config: TLS } },
    http: { prober: 'http', http: { ...V4, fail_if_not_ssl: true, valid_status_codes: [404], tls_config: TLS } },
    smtp: { prober: 'tcp', tcp: { ...V4, tls_config: TLS, query_response: rehearsal } },
  };
}

/** @param name name that module `dns` queries */
export async function startBlackboxExporter(name: string): Promise<BlackboxExporter> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-blackbox-'));
  // JSON is valid YAML.
  writeFileSync(join(folder, 'blackbox.yml'), JSON.stringify({ modules: modules(name) }));
  const address = `127.0.0.1:${String(await freePort())}`;
  const options = [`--config.file=${folder}/blackbox.yml`, `--web.listen-address=${address}`];
  const child = spawn('prometheus-blackbox-exporter', options, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const isHealthy = (): Promise<boolean> =>
    fetch(`http://${address}/-/healthy`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (child.exitCode === null && !(await isHealthy())) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    probe: async (module, target) => {
      const response = await fetch(`http://${address}/probe?${new URLSearchParams({ module, target }).toString()}`);
      return response.text();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
