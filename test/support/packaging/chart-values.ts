import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import type { ChartValues } from './chart.ts';

/** The files for three kinds of clusters. */
const EXAMPLES: Readonly<Record<string, ChartValues>> = Object.fromEntries(
  globSync('deploy/helm/examples/*.yaml').map((path) => [
    `the example for ${basename(path, '.yaml')}`,
    parse(readFileSync(path, 'utf8')) as ChartValues,
  ]),
);

/** A site with every object that the chart can create. */
const EVERYTHING: ChartValues = {
  image: { repository: 'registry.example.org/ftm-watch', digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'registry' }],
  config: {
    site: 'hq',
    trust: { caFiles: ['own-ca.pem'] },
    resolvers: ['system', '10.0.0.53'],
    mail: [{ host: 'mail.example.org', port: 587, user: 'fac', passwordFile: '/run/secrets/ftm-watch/mail/password' }],
    appliances: [
      {
        name: 'fac-1',
        logSources: ['10.0.0.5'],
        api: {
          url: 'https://10.0.0.5',
          user: 'monitor',
          keyFile: '/run/secrets/ftm-watch/fac-1/key',
          caFile: 'own-ca.pem',
        },
      },
    ],
    logs: {
      syslog: {
        udp: '0.0.0.0:5514',
        tcp: '0.0.0.0:5514',
        tls: {
          listen: '0.0.0.0:6514',
          certFile: '/run/secrets/ftm-watch/syslog-tls/tls.crt',
          keyFile: '/run/secrets/ftm-watch/syslog-tls/tls.key',
        },
      },
    },
    web: {
      tls: { certFile: '/run/secrets/ftm-watch/web-tls/tls.crt', keyFile: '/run/secrets/ftm-watch/web-tls/tls.key' },
      users: [{ name: 'prometheus', passwordHashFile: '/run/secrets/ftm-watch/web-users/prometheus' }],
    },
  },
  files: { 'own-ca.pem': 'the text of a certificate\nof two lines\n' },
  secrets: ['mail', 'fac-1', 'syslog-tls', 'web-tls', 'web-users'],
  persistence: { storageClass: 'fast', accessMode: 'ReadWriteOncePod', annotations: { 'example.org/backup': 'true' } },
  syslogService: {
    loadBalancerSourceRanges: ['10.0.0.0/24'],
    loadBalancerClass: 'example.org/internal',
    annotations: { 'example.org/a': 'b' },
  },
  serviceAccount: { annotations: { 'example.org/owner': 'security' } },
  ingress: {
    enabled: true,
    className: 'internal',
    annotations: { 'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS' },
    hosts: [{ host: 'ftm-watch.example.org' }, { host: 'b.example.org', paths: [{ path: '/', pathType: 'Exact' }] }],
    tls: [{ secretName: 'ingress-tls', hosts: ['ftm-watch.example.org'] }],
  },
  networkPolicy: {
    enabled: true,
    extraEgress: [{ ports: [{ protocol: 'TCP', port: 3128 }], to: [{ ipBlock: { cidr: '10.0.0.8/32' } }] }],
    http: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    syslog: [{ ipBlock: { cidr: '10.0.0.5/32' } }],
  },
  serviceMonitor: {
    enabled: true,
    labels: { team: 'security' },
    tlsConfig: { ca: { secret: { name: 'web-tls', key: 'ca.crt' } }, serverName: 'ftm-watch.monitoring.svc' },
    basicAuth: { username: { name: 'scrape', key: 'user' }, password: { name: 'scrape', key: 'password' } },
  },
  prometheusRelease: 'prometheus',
  prometheusRule: { enabled: true, labels: { team: 'security' } },
  dashboards: { enabled: true, annotations: { grafana_folder: 'FortiToken' } },
  pair: { name: 'hq' },
  podDisruptionBudget: { enabled: true },
  priorityClassName: 'high',
  nodeSelector: { 'example.org/zone': 'fac' },
  tolerations: [{ key: 'fac', operator: 'Exists', effect: 'NoSchedule' }],
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  dnsConfig: { nameservers: ['10.0.0.53'], options: [{ name: 'ndots', value: '1' }] },
  extraEnv: [{ name: 'PROXY_PASSWORD_FILE', value: '/mnt/vault/proxy' }],
  extraEnvFrom: [{ secretRef: { name: 'more', optional: true } }],
  extraVolumes: [{ name: 'vault', csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true } }],
  extraVolumeMounts: [{ name: 'vault', mountPath: '/mnt/vault', readOnly: true }],
  livenessProbe: { failureThreshold: 5 },
  deploymentAnnotations: { 'reloader.stakater.com/auto': 'true' },
  podLabels: { team: 'security' },
  podAnnotations: { 'example.org/c': 'd' },
};

/** Values that an administrator might have, by their special feature. */
export const CHART_VALUES: Readonly<Record<string, ChartValues>> = {
  ...EXAMPLES,
  'no values': {},
  everything: EVERYTHING,
  'nothing kept, and no account made': { persistence: { enabled: false }, serviceAccount: { create: false } },
  'names of its own, a claim and an account that are there': {
    fullnameOverride: 'activation-watch',
    persistence: { existingClaim: 'old-history' },
    serviceAccount: { create: false, name: 'watchers' },
    image: { tag: '0.1.0-rc.1' },
  },
  'syslog at the ports of nodes, and where it may run': {
    config: { logs: { syslog: { udp: '[::]:5514' } } },
    syslogService: { type: 'NodePort', ports: { udp: 1514 } },
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
        },
      },
    },
    dnsPolicy: 'Default',
  },
  'the configuration in a Secret, beside a file': {
    existingSecret: 'ftm-watch-config',
    files: { 'own-ca.pem': 'the text of a certificate' },
    ingress: { enabled: true, hosts: [{ host: 'ftm-watch.example.org' }] },
  },
  'a resolver of its own, and nobody who asks whether it started': {
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['10.0.0.53'] },
    config: { web: { anonymous: 'read' } },
    serviceMonitor: { enabled: true, authorization: { credentials: { name: 'scrape', key: 'token' } } },
    startupProbe: null,
    podSecurityContext: { fsGroup: 2000 },
  },
  'links to runbooks, and thresholds': {
    prometheusRule: {
      enabled: true,
      runbookURLPattern: 'https://ftm.example.org/runbooks/%s',
      thresholds: { certificateDays: 33, vendorFor: '7m' },
    },
    dashboards: { enabled: true },
  },
  'the second of a pair': {
    config: { site: 'hq' },
    pair: { name: 'hq' },
    prometheusRule: { enabled: true, shared: false },
  },
};
