import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST } from '../../../src/demo/lab/site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { type PrometheusProcess, startPrometheus } from '../../support/monitoring/prometheus-process.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';
import { freePort } from '../../support/network/free-port.ts';
import { servesAt, startProgram, type StartedProgram } from '../../support/process/start-program.ts';

/** Debian's blackbox exporter on loopback, with modules that check the same as our modules of the same name. */
interface BlackboxExporter extends StartedProgram {
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
async function startBlackboxExporter(name: string): Promise<BlackboxExporter> {
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

const PATIENCE = { timeout: 30_000, interval: 200 };
const MODULES = ['dns', 'tcp', 'tls', 'http', 'smtp'] as const;

type Module = (typeof MODULES)[number];

/** Metrics that the exporter has and /probe does not, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  probe_failed_due_to_regex: 'nothing is compared with expressions of the administrator',
  probe_ssl_last_chain_info: 'text from certificates is no label',
};
/** Metrics that are left out of one module only. */
const LEFT_OUT_OF: Readonly<Partial<Record<Module, readonly string[]>>> = {
  // Several resolvers can be queried.
  dns: ['probe_ip_protocol', 'probe_ip_addr_hash'],
  // The rehearsal covers the SMTP dialogue.
  smtp: ['probe_dns_lookup_time_seconds', 'probe_ip_protocol', 'probe_ip_addr_hash', 'probe_tls_version_info'],
};
/** Metrics that the exporter has only for HTTP, and /probe for other modules as well. */
const MORE: Readonly<Partial<Record<Module, readonly string[]>>> = { tls: ['probe_tls_cipher_info gauge'] };

/** Returns `name type` for each metric about the target. */
function typesIn(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (probe_\w+ \w+)$/gmu)].map(([, type = '']) => type).toSorted();
}

function seriesIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^(probe_\w+(?:\{[^}]*\})?) (\S+)$/gmu)].map(([, name = '', value = '']) => [name, value]),
  );
}

interface Ports {
  readonly license: number;
  readonly mail: number;
  readonly resolver: number;
}

function targetOf(
  module: Module,
  { license, mail, resolver }: Ports,
): { readonly ours: string; readonly theirs: string } {
  switch (module) {
    case 'dns':
      return { ours: `127.0.0.1:${String(resolver)}`, theirs: `127.0.0.1:${String(resolver)}` };
    case 'smtp':
      return { ours: `${MAIL_HOST}:${String(mail)}`, theirs: `127.0.0.1:${String(mail)}` };
    case 'http':
      return { ours: `${LICENSE_HOST}:${String(license)}`, theirs: `https://127.0.0.1:${String(license)}` };
    case 'tcp':
    case 'tls':
      return { ours: `${LICENSE_HOST}:${String(license)}`, theirs: `127.0.0.1:${String(license)}` };
  }
}

describeWhere(
  [{ program: 'prometheus-blackbox-exporter' }, { program: 'promtool' }],
  '/probe beside the blackbox exporter',
  () => {
    const stack = new AsyncDisposableStack();
    let lab: Lab;
    let daemon: DaemonProcess;
    let exporter: BlackboxExporter;

    beforeAll(async () => {
      ({ lab, daemon } = stack.use(await createWatchedLab()));
      exporter = stack.use(await startBlackboxExporter(LICENSE_HOST));
    });

    afterAll(() => stack.disposeAsync());

    async function both(module: Module): Promise<{ readonly ours: string; readonly theirs: string }> {
      const ports = { license: lab.firewall.portOf(LICENSE_HOST), mail: lab.mail.port, resolver: lab.resolver.port };
      const { ours, theirs } = targetOf(module, ports);
      const answer = await daemon.fetch(`/probe?${new URLSearchParams({ module, target: ours }).toString()}`);
      return { ours: await answer.text(), theirs: await exporter.probe(module, theirs) };
    }

    it.each(MODULES)('has the names and types that it has for %s, except for what is named here', async (module) => {
      const { ours, theirs } = await both(module);
      for (const text of [ours, theirs]) expect(text).toMatch(/^probe_success 1$/mu);
      const leftOut = [...Object.keys(LEFT_OUT), ...(LEFT_OUT_OF[module] ?? [])].map((name) => `${name} gauge`);
      const expected = [...typesIn(theirs).filter((type) => !leftOut.includes(type)), ...(MORE[module] ?? [])];
      expect(typesIn(ours)).toEqual(expected.toSorted());
      // Every metric that is left out exists in the exporter.
      expect((LEFT_OUT_OF[module] ?? []).filter((name) => !theirs.includes(`# TYPE ${name} `))).toEqual([]);
    });

    it.each([
      ['tcp', ['probe_ip_protocol', 'probe_ip_addr_hash']],
      ['tls', ['probe_ssl_earliest_cert_expiry', 'probe_tls_version_info{version="TLS 1.3"}']],
      [
        'http',
        [
          'probe_http_status_code',
          'probe_http_ssl',
          'probe_http_redirects',
          'probe_http_version',
          'probe_http_content_length',
          'probe_http_uncompressed_body_length',
          'probe_tls_cipher_info{cipher="TLS_AES_256_GCM_SHA384"}',
        ],
      ],
      ['smtp', ['probe_ssl_earliest_cert_expiry']],
      [
        'dns',
        ['probe_dns_answer_rrs', 'probe_dns_authority_rrs', 'probe_dns_additional_rrs', 'probe_dns_query_succeeded'],
      ],
    ] as const)('says the same of the same with %s', async (module, names) => {
      const { ours, theirs } = await both(module);
      const said = (text: string): readonly (number | undefined)[] =>
        names.map((name) => Number(seriesIn(text).get(name)));
      expect(said(ours)).toEqual(said(theirs));
      expect(said(ours)).not.toContain(Number.NaN);
    });

    it('splits the time for HTTP into the same phases, except for the body', async () => {
      const { ours, theirs } = await both('http');
      const phases = (text: string): readonly string[] =>
        [...text.matchAll(/^probe_http_duration_seconds\{phase="(\w+)"\}/gmu)].map(([, phase = '']) => phase);
      expect(phases(ours).toSorted()).toEqual(
        phases(theirs)
          .filter((phase) => phase !== 'transfer')
          .toSorted(),
      );
    });

    it.each(MODULES)('satisfies promtool with %s', async (module) => {
      const { ours: input } = await both(module);
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  },
);

/** Returns the shipped configuration with the probe line enabled and an interval of one second. */
function withProbes(targets: readonly object[] | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-probes-'));
  cpSync('deploy/prometheus', folder, { recursive: true });
  function edit(name: string, pattern: RegExp, replacement: string): void {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toMatch(pattern);
    writeFileSync(join(folder, name), text.replace(pattern, replacement));
  }
  edit('prometheus.yml', /^# (scrape_config_files: .*)$/mu, '$1');
  if (targets === null) return folder;
  edit('probe/ftm-probe.yml', /scrape_interval: 1m\n/u, 'scrape_interval: 2s\n');
  edit('probe/ftm-probe.yml', /scrape_timeout: 15s\n/u, 'scrape_timeout: 2s\n');
  // JSON is valid YAML.
  writeFileSync(join(folder, 'probe/targets/ftm-probe.yml'), JSON.stringify(targets));
  return folder;
}

describeWhere([{ program: 'promtool' }], 'the scrape configuration for /probe', () => {
  it('is one that promtool takes, with its targets, and would not if it were wrong', () => {
    const folder = withProbes(null);
    const check = (): number | null =>
      spawnSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')]).status;
    expect(check()).toBe(0);
    for (const name of ['probe/ftm-probe.yml', 'probe/targets/ftm-probe.yml']) {
      const path = join(folder, name);
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.replace(/^(\s+metrics_path|- targets):/mu, '$1s:'));
      expect([name, check()]).not.toEqual([name, 0]);
      writeFileSync(path, text);
    }
    rmSync(folder, { recursive: true });
  });
});

describeWhere([{ program: 'prometheus' }], 'Prometheus that drives /probe', () => {
  const stack = new AsyncDisposableStack();
  let lab: Lab;
  let prometheus: PrometheusProcess;
  let license: string;

  beforeAll(async () => {
    const watched = stack.use(await createWatchedLab());
    ({ lab } = watched);
    const { daemon } = watched;
    const agent = new URL(await daemon.page()).host;
    license = `${LICENSE_HOST}:${String(lab.firewall.portOf(LICENSE_HOST))}`;
    const [control = ''] = CONTROL_HOSTS;
    const folder = withProbes([
      { targets: [license], labels: { module: 'http', agent, site: 'lab' } },
      {
        targets: [`${control}:${String(lab.firewall.portOf(control))}`],
        labels: { module: 'tcp', agent, site: 'lab' },
      },
      { targets: ['elsewhere.example.org:443'], labels: { module: 'tcp', agent, site: 'lab' } },
    ]);
    stack.defer(() => {
      rmSync(folder, { recursive: true });
    });
    prometheus = stack.use(await startPrometheus(folder));
  });

  afterAll(() => stack.disposeAsync());

  it('sees a target that is fine, then its fault, then that it is fixed', async () => {
    const success = (): Promise<number | null> =>
      prometheus.value(`probe_success{job="ftm-probe", site="lab", module="http", instance="${license}"}`);
    await expect.poll(success, PATIENCE).toBe(1);
    expect(await prometheus.value(`probe_http_status_code{instance="${license}"}`)).toBe(404);
    expect(await prometheus.count(`probe_ssl_earliest_cert_expiry{instance="${license}"} - time() > 0`)).toBe(1);

    await lab.inspect(true);
    await expect.poll(success, PATIENCE).toBe(0);
    // The connection itself works.
    expect(await prometheus.value('probe_success{module="tcp", instance!~"elsewhere.*"}')).toBe(1);

    await lab.inspect(false);
    await expect.poll(success, PATIENCE).toBe(1);
  });

  it('is refused what the configuration of the agent does not name', async () => {
    await expect
      .poll(() => prometheus.value('up{job="ftm-probe", instance="elsewhere.example.org:443"}'), PATIENCE)
      .toBe(0);
    expect(await prometheus.count('probe_success{instance="elsewhere.example.org:443"}')).toBe(0);
  });
});
