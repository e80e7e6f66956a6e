import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildChartRenderer, type ChartRenderer, objectOf, type RenderedChart } from '../../support/packaging/chart.ts';
import { CHART_VALUES } from '../../support/packaging/chart-values.ts';
import { podOf } from './pod.ts';
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

const DASHBOARDS = 'deploy/prometheus/mixin/dashboards';
const OWN_WAY = 'a resolver of its own, and nobody who asks whether it started';

describeWhere([{ program: 'go' }], 'the chart, in the cluster of somebody else,', () => {
  let renderer: ChartRenderer;

  const chartWith = (set: string): Promise<RenderedChart> => renderer.render(CHART_VALUES[set] ?? { set });

  beforeAll(async () => {
    renderer = await buildChartRenderer();
  });

  afterAll(() => renderer[Symbol.asyncDispose]());

  it('lets OpenShift choose the group of the volume, and whoever names one', async () => {
    const groupOf = (chart: RenderedChart): unknown => podOf(chart).spec.securityContext['fsGroup'];
    expect(groupOf(await chartWith('no values'))).toBe(1000);
    expect(groupOf(await renderer.render({}, ['security.openshift.io/v1']))).toBeUndefined();
    expect(groupOf(await chartWith(OWN_WAY))).toBe(2000);
    const example = CHART_VALUES['the example for openshift'] ?? {};
    expect(groupOf(await renderer.render(example, ['security.openshift.io/v1']))).toBeUndefined();
  });

  it('puts nothing of a configuration in a Secret into a ConfigMap', async () => {
    const names = ({ objects }: RenderedChart): readonly string[] =>
      objects.filter(({ kind }) => kind === 'ConfigMap').flatMap(({ data }) => Object.keys(data ?? {}));
    expect(names(await chartWith('no values'))).toEqual(['ftm-watch.yaml']);
    expect(names(await chartWith('the configuration in a Secret, beside a file'))).toEqual(['own-ca.pem']);
    expect(names(await renderer.render({ existingSecret: 'a' }))).toEqual([]);
  });

  it('asks as often as it is told, and not at all where it is told', async () => {
    const often = podOf(await chartWith('everything')).spec.containers[0]?.['livenessProbe'];
    expect(often).toMatchObject({ periodSeconds: 30, failureThreshold: 5 });
    const [container] = podOf(await chartWith(OWN_WAY)).spec.containers;
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
    const chart = await chartWith('everything');
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
  });
});
