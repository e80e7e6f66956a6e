import { freePort } from '../network/free-port.ts';
import { servesAt, startProgram, type StartedProgram } from '../process/start-program.ts';

/** Debian's blackbox exporter on loopback, with modules that check the same as our modules of the same name. */
export interface BlackboxExporter extends StartedProgram {
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
  const address = `127.0.0.1:${String(await freePort())}`;
  const program = await startProgram((folder) => ({
    command: [
      'prometheus-blackbox-exporter',
      `--config.file=${folder}/blackbox.yml`,
      `--web.listen-address=${address}`,
    ],
    // JSON is valid YAML.
    config: { 'blackbox.yml': JSON.stringify({ modules: modules(name) }) },
    readyWhen: servesAt(`http://${address}/-/healthy`),
  }));
  return {
    ...program,
    probe: async (module, target) => {
      const response = await fetch(`http://${address}/probe?${new URLSearchParams({ module, target }).toString()}`);
      return response.text();
    },
  };
}
