import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ruleFiles } from '../../support/monitoring/alert-rules.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { buildChartRenderer, type ChartRenderer, objectOf, type RenderedChart } from '../../support/packaging/chart.ts';
import { CHART_VALUES } from '../../support/packaging/chart-values.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { misfitsOf, problemsOf } from './kubernetes-schemas.ts';
import { mountPod, podOf } from './pod.ts';
import { describeWhere } from '../../support/process/privilege.ts';

interface Policy {
  readonly egress: readonly { readonly ports: readonly { readonly protocol: string; readonly port: number }[] }[];
}

/** Returns the ports to which the pod may connect, as "PROTOCOL PORT". */
function egressPorts(chart: RenderedChart): readonly string[] {
  const { egress } = objectOf(chart, 'NetworkPolicy').spec as Policy;
  return egress.flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol} ${String(port)}`));
}

/** Keys for listening addresses, and for links that people open. */
const NOT_CONNECTED_TO = /^(?:web\.(?:listen|tls|publicUrl)|notify\.runbookUrl|logs)(?:\.|$)/u;
const URL_OR_PORT = /^(?<before>[a-z]+:\/\/[^/:]+|[\w.-]+(?=:\d+$))(?::\d+)?(?<after>.*)$/u;

/**
 * Returns a configuration with a different port in each place to which ftm-watch connects (after "port:", in URLs,
 * and after hosts with a port), and these ports as "PROTOCOL PORT".
 */
function configWithPorts(text: string): { readonly config: object; readonly ports: readonly string[] } {
  const ports: string[] = [];
  const another = (protocols: readonly string[]): string => {
    const port = String(20_000 + ports.length);
    ports.push(...protocols.map((protocol) => `${protocol} ${port}`));
    return port;
  };
  const leaf = (value: unknown, path: readonly string[]): unknown => {
    if (path.at(-1) === 'port') return Number(another(path.includes('snmp') ? ['UDP'] : ['TCP']));
    const { before, after = '' } = URL_OR_PORT.exec(String(value))?.groups ?? {};
    return before === undefined ? value : `${before}:${another(protocolsOf(before, path))}${after}`;
  };
  const renumber = (value: unknown, path: readonly string[]): unknown => {
    if (NOT_CONNECTED_TO.test(path.join('.'))) return value;
    if (Array.isArray(value)) return value.map((item) => renumber(item, path));
    if (typeof value !== 'object' || value === null) return leaf(value, path);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renumber(item, [...path, key])]));
  };
  return { config: renumber(parse(text), []) as object, ports };
}

/** A resolver that is queried over UDP is also queried over TCP if its answer is truncated. */
function protocolsOf(before: string, path: readonly string[]): readonly string[] {
  if (path.at(-1) === 'ntp') return ['UDP'];
  return before.startsWith('udp:') ? ['UDP', 'TCP'] : ['TCP'];
}

interface ServiceSpec {
  readonly type: string;
  readonly externalTrafficPolicy?: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly targetPort: string;
    readonly protocol: string;
  }[];
}

interface RuleSpec {
  readonly groups: readonly { readonly name: string; readonly rules: readonly unknown[] }[];
}

const DASHBOARDS = 'deploy/prometheus/mixin/dashboards';
const MEANT = 'a resolver of its own, and nobody who asks whether it started';
const SETS = Object.keys(CHART_VALUES);

/** Runs Prometheus' promtool on files with these contents. JSON is valid YAML. */
function promtool(
  args: readonly string[],
  files: Readonly<Record<string, unknown>>,
): { readonly status: number | null; readonly said: string } {
  const cwd = mkdtempSync(join(tmpdir(), 'ftm-watch-rules-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), JSON.stringify(content));
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, encoding: 'utf8' });
  rmSync(cwd, { recursive: true });
  return { status, said: `${stdout}${stderr}` };
}

describeWhere([{ program: 'go' }, { program: 'promtool' }], 'the chart, rendered', () => {
  let renderer: ChartRenderer;
  const charts = new Map<string, RenderedChart>();

  function chartWith(name: string): RenderedChart {
    const chart = charts.get(name);
    if (chart === undefined) throw new Error(`There are no values "${name}"`);
    return chart;
  }

  beforeAll(async () => {
    renderer = await buildChartRenderer();
    for (const [name, values] of Object.entries(CHART_VALUES)) charts.set(name, await renderer.render(values));
  });

  afterAll(() => renderer[Symbol.asyncDispose]());

  describe.each(SETS)('with %s', (set) => {
    it("satisfies Kubernetes' schemas, and has no field that they do not know", async () => {
      const { objects } = chartWith(set);
      expect(objects.flatMap(problemsOf)).toEqual([]);
      expect(await misfitsOf(objects)).toEqual([]);
    });

    it('has the right of nobody', () => {
      const { spec } = podOf(chartWith(set));
      expect(spec).toMatchObject({ automountServiceAccountToken: false });
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(spec.securityContext).not.toHaveProperty('runAsUser');
      expect(spec.containers.map(({ securityContext }) => securityContext)).toEqual([
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      ]);
      const writable = spec.containers
        .flatMap(({ volumeMounts }) => volumeMounts)
        .filter(({ readOnly }) => readOnly !== true);
      expect(writable.map(({ mountPath }) => mountPath)).toEqual(['/var/lib/ftm-watch']);
    });

    it('fits together', () => {
      const chart = chartWith(set);
      const { metadata, spec } = podOf(chart);
      const ports = spec.containers.flatMap((container) => container.ports);
      const services = chart.objects
        .filter(({ kind }) => kind === 'Service')
        .map((object) => object.spec as ServiceSpec);
      for (const service of services) {
        expect(metadata.labels).toMatchObject(service.selector);
        for (const { targetPort, protocol } of service.ports)
          expect(ports).toContainEqual(expect.objectContaining({ name: targetPort, protocol }));
      }
      const mounted = spec.containers.flatMap(({ volumeMounts }) => volumeMounts).map(({ name }) => name);
      expect(mounted).toEqual(spec.volumes.map(({ name }) => name));
      const names = chart.objects.map(({ kind, metadata: { name } }) => `${kind}/${name}`);
      expect(new Set(names).size).toBe(names.length);
      const made = chart.objects
        .filter(({ kind }) => kind === 'PersistentVolumeClaim')
        .map(({ metadata: { name } }) => name);
      const claimed = spec.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
      expect([...made, 'old-history']).toEqual(expect.arrayContaining(claimed));
      expect(JSON.stringify(chart.objects)).not.toMatch(/undefined|<no value>|%!/u);
    });

    it('gives a configuration that the program takes', async () => {
      const authority = await createIdentity({ name: 'CN=a', authority: true });
      const pem = { 'tls.crt': authority.pem, 'tls.key': authority.keyPem };
      const hash = `$scrypt$ln=15,r=8,p=3$${'c'.repeat(22)}$${'d'.repeat(43)}`;
      const secrets = {
        mail: { password: 'a' },
        'fac-1': { key: 'b' },
        'syslog-tls': pem,
        'web-tls': pem,
        'web-users': { prometheus: hash, ops: hash },
        'ftm-watch-config': { 'ftm-watch.yaml': 'site: of the Secret\n' },
      };
      await using pod = await mountPod(chartWith(set), secrets);
      if (set === 'everything') writeFileSync(join(dirname(pod.configFile), 'own-ca.pem'), authority.pem);
      const { exitCode, stdout, stderr } = await runFtmWatch(['config', 'check', '--config', pod.configFile], {
        cwd: dirname(pod.configFile),
      });
      expect({ exitCode, said: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, said: '' });
    });
  });

  it('asks the program at pages that it has, which tell nothing of what it watches', async () => {
    await using pod = await mountPod(chartWith('no values'), {});
    const closed = String(await freePort());
    const shipped = readFileSync(pod.configFile, 'utf8');
    writeFileSync(
      pod.configFile,
      `${shipped.replace('0.0.0.0:9843', '127.0.0.1:0')}licenseServer: { host: 127.0.0.1, port: ${closed} }\n` +
        `controlHosts: ["127.0.0.1:${closed}"]\nresolvers: ["127.0.0.1:${closed}"]\n`,
    );
    await using daemon = startDaemonProcess({ cwd: dirname(pod.configFile), args: ['--config', pod.configFile] });
    const page = await daemon.page();
    const [container] = podOf(chartWith('no values')).spec.containers;
    const paths = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map(
      (probe) => container?.[probe]?.httpGet.path ?? '',
    );
    expect(paths).toEqual(['/-/healthy', '/-/healthy', '/-/ready']);
    for (const path of paths)
      await expect.poll(async () => (await fetch(`${page}${path}`)).status, { timeout: 20_000 }).toBe(200);
    await expect
      .poll(async () => (await fetch(`${page}/metrics`)).text(), { timeout: 20_000 })
      .toMatch(/^ftm_activation_ready 0$/mu);
  });

  it('asks over TLS where there is TLS', () => {
    const [container] = podOf(chartWith('everything')).spec.containers;
    const schemes = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map(
      (probe) => container?.[probe]?.httpGet.scheme,
    );
    expect(schemes).toEqual(['HTTPS', 'HTTPS', 'HTTPS']);
    expect(objectOf(chartWith('everything'), 'ServiceMonitor').spec).toMatchObject({
      endpoints: [{ scheme: 'https' }],
    });
  });

  it('takes log lines only where the configuration does, and leaves their source as it is', () => {
    const syslogOf = (set: string): ServiceSpec =>
      objectOf(chartWith(set), 'Service', 'ftm-watch-syslog').spec as ServiceSpec;
    expect(() => syslogOf('no values')).toThrow('The chart has no Service');
    expect(syslogOf('everything')).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    expect(syslogOf('everything').ports.map(({ port, protocol }) => `${String(port)}/${protocol}`)).toEqual([
      '514/UDP',
      '514/TCP',
      '6514/TCP',
    ]);
    const nodePort = syslogOf('syslog at the ports of nodes, and where it may run');
    expect(nodePort).toMatchObject({
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      ports: [{ port: 1514, targetPort: 'syslog-udp' }],
    });
  });

  it('starts again when the configuration is another, and only then', async () => {
    const checksum = async (config: object): Promise<string | undefined> =>
      podOf(await renderer.render({ config })).metadata.annotations['checksum/config'];
    expect(await checksum({ site: 'a' })).toBe(await checksum({ site: 'a' }));
    expect(await checksum({ site: 'a' })).not.toBe(await checksum({ site: 'b' }));
  });

  it('has the rules of deploy/prometheus word for word, which promtool takes', () => {
    const { groups } = objectOf(chartWith('everything'), 'PrometheusRule').spec as RuleSpec;
    const shipped = ruleFiles().flatMap((file) => (parse(readFileSync(file, 'utf8')) as RuleSpec).groups);
    expect(groups.slice(0, -1)).toEqual(shipped);
    expect(groups.at(-1)?.name).toBe('ftm-watch-absent');
    // Each group in a separate file, because the last one reuses names of others with different expressions.
    const files = Object.fromEntries(groups.map(({ name, rules }) => [`${name}.yml`, { groups: [{ name, rules }] }]));
    const { status, said } = promtool(['check', 'rules', '--lint-fatal', ...Object.keys(files)], files);
    expect(said.match(/SUCCESS/gu)).toHaveLength(groups.length);
    expect(status).toBe(0);
  });

  it('links each alert, and the dashboard of a cause, to its runbook where it is told where they are', () => {
    const linked = chartWith('links to runbooks, and thresholds');
    const annotationsOf = (chart: RenderedChart): readonly Readonly<Record<string, string>>[] =>
      (objectOf(chart, 'PrometheusRule').spec as RuleSpec).groups
        .flatMap(({ rules }) => rules as readonly { readonly annotations?: Readonly<Record<string, string>> }[])
        .flatMap(({ annotations }) => (annotations === undefined ? [] : [annotations]));
    const urls = new Set(annotationsOf(linked).map(({ runbook_url: url = 'none' }) => url));
    expect(urls).not.toContain('none');
    expect([...urls]).toEqual(
      expect.arrayContaining([
        'https://ftm.example.org/runbooks/{{ $labels.cause }}',
        'https://ftm.example.org/runbooks/alerts#ftmsiteunwatched',
      ]),
    );
    expect(annotationsOf(chartWith('everything')).flatMap((one) => one['runbook_url'] ?? [])).toEqual([]);
    const linksOf = (chart: RenderedChart): readonly { readonly url: string }[] => {
      const { data = {} } = objectOf(chart, 'ConfigMap', 'ftm-watch-dashboards');
      return (JSON.parse(data['ftm-watch-cause.json'] ?? '{}') as { links: readonly { readonly url: string }[] }).links;
    };
    expect(linksOf(linked).map(({ url }) => url)).toContain('https://ftm.example.org/runbooks/$cause');
    expect(linksOf(chartWith('everything')).map(({ url }) => url)).not.toContainEqual(
      expect.stringContaining('runbooks'),
    );
  });

  it('puts its thresholds into the rules', () => {
    const rules = JSON.stringify(objectOf(chartWith('links to runbooks, and thresholds'), 'PrometheusRule').spec);
    expect(rules).toContain('< 33 * 86400');
    expect(rules).toContain('"for":"7m"');
    expect(rules).not.toContain('%(');
  });

  it('has an alert for a pod that is gone, of which Prometheus forgets the target', () => {
    const { groups } = objectOf(chartWith('the second of a pair'), 'PrometheusRule').spec as RuleSpec;
    const down = {
      exp_labels: { job: 'ftm-watch', site: 'hq', instance: 'ftm-watch:9843', severity: 'warning', response: 'ticket' },
    };
    const tests = [
      {
        interval: '1m',
        input_series: [
          { series: 'up{job="ftm-watch", site="hq", instance="ftm-watch:9843"}', values: '1x5 stale _x30' },
          { series: 'up{job="ftm-watch", site="hq", instance="other:9843"}', values: '1x15 stale _x20' },
        ],
        alert_rule_test: [
          { eval_time: '5m', alertname: 'FtmWatcherDown', exp_alerts: [] },
          { eval_time: '10m', alertname: 'FtmWatcherDown', exp_alerts: [down] },
          { eval_time: '10m', alertname: 'FtmSiteUnwatched', exp_alerts: [] },
          {
            eval_time: '25m',
            alertname: 'FtmSiteUnwatched',
            exp_alerts: [{ exp_labels: { site: 'hq', severity: 'critical', response: 'page' } }],
          },
        ],
      },
    ];
    // The previous test compares the texts with those of the shipped rules. This test covers only the timing.
    const bare = groups.map(({ name, rules }) => ({
      name,
      rules: rules.map((rule) => ({ ...(rule as object), annotations: {} })),
    }));
    const files = {
      'rules.yml': { groups: bare },
      'test.yml': { rule_files: ['rules.yml'], evaluation_interval: '30s', tests },
    };
    expect(promtool(['test', 'rules', 'test.yml'], files)).toMatchObject({ status: 0 });
  });

  it('gives Prometheus the labels that the rules count on', () => {
    const { endpoints } = objectOf(chartWith('everything'), 'ServiceMonitor').spec as {
      readonly endpoints: readonly { readonly relabelings: readonly unknown[] }[];
    };
    expect(endpoints.flatMap(({ relabelings }) => relabelings)).toEqual([
      { targetLabel: 'job', replacement: 'ftm-watch' },
      { targetLabel: 'site', replacement: 'hq' },
      { targetLabel: 'instance', replacement: 'ftm-watch:9843' },
    ]);
  });

  it('refuses a copy that lost the files to which it links', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'ftm-watch-chart-copy-'));
    cpSync('deploy/helm/ftm-watch', copy, { recursive: true, filter: (path) => !path.includes('/files/') });
    await using incomplete = await buildChartRenderer(copy);
    for (const part of ['dashboards', 'prometheusRule'])
      await expect(incomplete.render({ [part]: { enabled: true } })).rejects.toThrow('The chart has no files/');
    rmSync(copy, { recursive: true });
  });

  it('refuses a budget for one pod alone', async () => {
    await expect(renderer.render({ podDisruptionBudget: { enabled: true } })).rejects.toThrow(
      'podDisruptionBudget needs pair.name',
    );
  });

  it('says what is still open', () => {
    expect(chartWith('no values').notes).toContain('there are no users yet. Set config.web.users');
    expect(chartWith('everything').notes).not.toContain('there are no users yet');
    expect(chartWith('everything').notes).toContain('https://localhost:9843/');
    expect(chartWith(MEANT).notes).not.toContain('there are no users yet');
    expect(chartWith('nothing kept, and no account made').notes).toContain('Without persistence');
  });

  it('lets OpenShift choose the group of the volume, and whoever names one', async () => {
    const groupOf = (chart: RenderedChart): unknown => podOf(chart).spec.securityContext['fsGroup'];
    expect(groupOf(chartWith('no values'))).toBe(1000);
    expect(groupOf(await renderer.render({}, ['security.openshift.io/v1']))).toBeUndefined();
    expect(groupOf(chartWith(MEANT))).toBe(2000);
    const example = CHART_VALUES['the example for openshift'] ?? {};
    expect(groupOf(await renderer.render(example, ['security.openshift.io/v1']))).toBeUndefined();
  });

  it('puts nothing of a configuration in a Secret into a ConfigMap', async () => {
    const names = ({ objects }: RenderedChart): readonly string[] =>
      objects.filter(({ kind }) => kind === 'ConfigMap').flatMap(({ data }) => Object.keys(data ?? {}));
    expect(names(chartWith('no values'))).toEqual(['ftm-watch.yaml']);
    expect(names(chartWith('the configuration in a Secret, beside a file'))).toEqual(['own-ca.pem']);
    expect(names(await renderer.render({ existingSecret: 'a' }))).toEqual([]);
  });

  it('asks as often as it is told, and not at all where it is told', async () => {
    const often = podOf(chartWith('everything')).spec.containers[0]?.['livenessProbe'];
    expect(often).toMatchObject({ periodSeconds: 30, failureThreshold: 5 });
    const [container] = podOf(chartWith(MEANT)).spec.containers;
    expect([container?.['startupProbe'], typeof container?.['livenessProbe']]).toEqual([undefined, 'object']);
  });

  it('refuses a name that the page would refuse', async () => {
    const ingress = { enabled: true, hosts: [{ host: 'a.example.org' }] };
    await expect(renderer.render({ ingress })).rejects.toThrow(
      'ingress needs config.web.users, or "a.example.org" in config.web.hosts',
    );
    const proxy = { userHeader: 'X-Forwarded-User', secretFile: '/run/secrets/proxy', role: 'read' };
    const known = await renderer.render({ ingress, config: { web: { proxy } } });
    expect(known.notes).toContain('sent unencrypted');
    const { spec } = objectOf(
      await renderer.render({ ingress, config: { web: { hosts: ['a.example.org'] } } }),
      'Ingress',
    );
    expect(spec).toMatchObject({ rules: [{ host: 'a.example.org', http: { paths: [{ path: '/' }] } }] });
  });

  it('is found by kube-prometheus-stack, and by the sidecar of its Grafana', async () => {
    const chart = chartWith('everything');
    for (const kind of ['ServiceMonitor', 'PrometheusRule'])
      expect(objectOf(chart, kind).metadata.labels).toMatchObject({ release: 'prometheus', team: 'security' });
    const { metadata, data = {} } = objectOf(chart, 'ConfigMap', 'ftm-watch-dashboards');
    expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    const shipped = readdirSync(DASHBOARDS).map((name) => [
      `ftm-watch-${name}`,
      JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')) as unknown,
    ]);
    expect(Object.entries(data).map(([name, text]) => [name, JSON.parse(text) as unknown])).toEqual(shipped);
  });

  it('may connect to every port that the configuration names, and to no other', async () => {
    const { config, ports } = configWithPorts(readFileSync('config/ftm-watch.reference.yaml', 'utf8'));
    const chart = await renderer.render({ config, networkPolicy: { enabled: true } });
    const always = ['TCP 443', 'TCP 53', 'UDP 53'];
    const withoutOne = ['TCP 25', 'UDP 123', 'UDP 161'];
    expect(egressPorts(chart).toSorted()).toEqual([...new Set([...ports, ...always, ...withoutOne])].toSorted());
    const plain = await renderer.render({ networkPolicy: { enabled: true } });
    expect(egressPorts(plain).toSorted()).toEqual(always);
  });

  it('knows the ports of what is named without one', async () => {
    const config = {
      resolvers: ['system', '10.0.0.53', '2001:db8::53', 'tls://9.9.9.9', 'https://dns.example/dns-query'],
      mail: [{ host: 'a', security: 'tls' }, { host: 'b' }],
      clock: { ntp: ['a', '[2001:db8::1]', '10.0.0.1'] },
      appliances: [{ snmp: { host: 'a', communityFile: 'b' }, api: { url: 'https://[2001:db8::2]' } }],
      firewall: { url: 'https://10.0.0.1' },
      notify: { heartbeat: { url: 'http://a/b' } },
    };
    const chart = await renderer.render({ config, networkPolicy: { enabled: true } });
    expect(egressPorts(chart).toSorted()).toEqual(
      ['TCP 25', 'TCP 443', 'TCP 465', 'TCP 53', 'TCP 80', 'TCP 853', 'UDP 123', 'UDP 161', 'UDP 53'].toSorted(),
    );
    const appliances = [{ api: { url: 'https://10.0.0.1' } }];
    const reported = await renderer.render({ config: { appliances }, networkPolicy: { enabled: true } });
    expect(egressPorts(reported)).toEqual(expect.arrayContaining(['TCP 25', 'TCP 465', 'TCP 587']));
    expect(egressPorts(reported)).not.toContain('UDP 5353');
    const openShift = await renderer.render({ networkPolicy: { enabled: true } }, ['security.openshift.io/v1']);
    expect(egressPorts(openShift)).toEqual(expect.arrayContaining(['TCP 5353', 'UDP 5353']));
  });
});
