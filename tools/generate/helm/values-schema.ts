import { configJsonSchema, type JsonSchema } from '../../../src/config/config.ts';
import type { Threshold } from '../prometheus/rules.ts';
import { podSchema } from './pod-schema.ts';
import { choice, flag, KUBERNETES, NAME, names, PORT, section, SECRET_KEY, text, texts } from './schema-pieces.ts';

/**
 * Returns the schema (draft 7, which every Helm supports) with which Helm validates values. `config` has the schema
 * of the configuration file itself, so that a wrong key is rejected before anything is changed in the cluster.
 */
export function valuesSchema(thresholds: readonly Threshold[]): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart ftm-watch',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...program(),
      ...network(),
      ...monitoring(thresholds),
      ...podSchema(),
      global: KUBERNETES.map('Of a chart above this one; not used.'),
    },
  };
}

function program(): Readonly<Record<string, JsonSchema>> {
  return {
    nameOverride: text('Name of the application in labels; empty: the name of the chart.'),
    fullnameOverride: text('Name of all objects; empty: made of the release and the application.'),
    image: section('The image, made with the Dockerfile.', {
      repository: text('Registry and name.', '^[^\\s@]+$'),
      tag: text('Tag; empty: the appVersion of the chart.'),
      digest: text('Digest, used instead of the tag.', '^(sha256:[0-9a-f]{64})?$'),
      pullPolicy: choice('When the image is pulled.', 'Always', 'IfNotPresent', 'Never'),
    }),
    imagePullSecrets: {
      description: 'Secrets with the login of the registry (LocalObjectReference).',
      type: 'array',
      items: section('One of them.', { name: text('Its name.', NAME) }, ['name']),
    },
    config: configuration(),
    existingSecret: text('Name of an existing Secret: its key ftm-watch.yaml is the configuration file.', `^$|${NAME}`),
    files: {
      description:
        'Public texts in /etc/ftm-watch beside ftm-watch.yaml, by name, such as certificates of authorities. Never ' +
        'a secret.',
      type: 'object',
      propertyNames: { pattern: '^[-._a-zA-Z0-9]+$', not: { const: 'ftm-watch.yaml' } },
      additionalProperties: { type: 'string', not: { pattern: 'PRIVATE KEY' } },
    },
    secrets: names('Names of existing Secrets: the key KEY of NAME is the file /run/secrets/ftm-watch/NAME/KEY.'),
    persistence: section('The volume of the database.', {
      enabled: flag('Whether the database outlives the pod.'),
      existingClaim: text('Name of an existing claim to use.'),
      storageClass: text('Storage class; empty: the default one. It must lock files properly: no NFS.'),
      accessMode: choice(
        'Whether one node or one pod can mount the volume at a time.',
        'ReadWriteOnce',
        'ReadWriteOncePod',
      ),
      size: text('Size of the volume.', '^[1-9][0-9]*(Mi|Gi|Ti)$'),
      annotations: texts('Annotations of the claim.'),
    }),
  };
}

/** The configuration file, with the keys that the chart itself reads. */
function configuration(): JsonSchema {
  const { $schema: _dialect, title: _title, ...schema } = configJsonSchema();
  return {
    ...schema,
    description:
      'The file ftm-watch.yaml. Every key is explained in docs/configuration.md; "site" is the name of the release ' +
      'if it is missing.',
    required: ['web', 'store'],
    allOf: [
      {
        properties: {
          // The pod is probed from outside, so its port must be known. Go's regular expressions have no lookahead.
          web: {
            required: ['listen'],
            properties: {
              listen: { pattern: ':[1-9][0-9]*$', not: { pattern: String.raw`^(127\.|\[::1\]|localhost)` } },
            },
          },
          store: { required: ['path'], properties: { path: { pattern: '^/var/lib/ftm-watch/' } } },
        },
      },
    ],
  };
}

function port(protocol: string): JsonSchema {
  return { ...PORT, description: `Port of the service for ${protocol}.` };
}

const INGRESS_PATH = {
  type: 'object',
  properties: { path: { type: 'string', pattern: '^/' }, pathType: { type: 'string' } },
  additionalProperties: false,
} as const;

const INGRESS_HOST = {
  type: 'object',
  properties: { host: { type: 'string', minLength: 1 }, paths: { type: 'array', items: INGRESS_PATH } },
  additionalProperties: false,
  required: ['host'],
} as const;

function network(): Readonly<Record<string, JsonSchema>> {
  return {
    service: section('The service of the status page, the metrics and the API.', {
      type: choice('Type of the service.', 'ClusterIP', 'NodePort', 'LoadBalancer'),
      annotations: texts('Annotations of the object.'),
    }),
    syslogService: section('The service that log lines come in by; there is one where config.logs.syslog listens.', {
      type: choice(
        'Type of the service. Only NodePort and LoadBalancer keep the source addresses of appliances outside.',
        'LoadBalancer',
        'NodePort',
        'ClusterIP',
      ),
      annotations: texts('Annotations of the object.'),
      loadBalancerClass: text('Class of the load balancer; empty: the default one.'),
      loadBalancerSourceRanges: {
        description: 'CIDR blocks whose addresses can send.',
        type: 'array',
        items: { type: 'string', pattern: '/[0-9]+$' },
      },
      ports: section('The ports that appliances send to.', { udp: port('UDP'), tcp: port('TCP'), tls: port('TLS') }, [
        'udp',
        'tcp',
        'tls',
      ]),
    }),
    ingress: section('The way to the status page by a name from outside.', {
      enabled: flag('Creates an Ingress.'),
      className: text('Class of the Ingress; empty: the default one.'),
      annotations: texts('Annotations of the object.'),
      hosts: {
        description: 'Host names of the page, each with paths; without paths, /.',
        type: 'array',
        items: INGRESS_HOST,
      },
      tls: KUBERNETES.list('Certificates (IngressTLS).'),
    }),
    serviceAccount: section('The account of the pod. It has no rights and no token.', {
      create: flag('Creates a service account.'),
      name: text('Name of the account; empty: the name of all objects, or "default" if none is created.'),
      annotations: texts('Annotations of the object.'),
    }),
    networkPolicy: section('Who may connect to the pod, and where it may connect to.', {
      enabled: flag('Creates a NetworkPolicy.'),
      http: KUBERNETES.list('Peers that may read metrics and the status page (NetworkPolicyPeer); none: nobody.'),
      syslog: KUBERNETES.list('Peers that may send log lines (NetworkPolicyPeer); none: nobody.'),
      extraEgress: KUBERNETES.list(
        'More rules than those for the ports in the configuration (NetworkPolicyEgressRule).',
      ),
    }),
  };
}

function monitoring(thresholds: readonly Threshold[]): Readonly<Record<string, JsonSchema>> {
  const secretKey = (description: string): JsonSchema => section(description, SECRET_KEY, ['name', 'key']);
  const basicAuth = {
    description: 'Name and password, by reference; for config.web.users.',
    type: 'object',
    additionalProperties: false,
  };
  return {
    prometheusRelease: text('Release of kube-prometheus-stack, which selects by the label "release".'),
    serviceMonitor: section('How the Prometheus operator finds it.', {
      enabled: flag('Creates a ServiceMonitor.'),
      labels: texts('Labels that the operator selects by.'),
      interval: text('Time between scrapes.', '^[0-9]+(ms|s|m)$'),
      scrapeTimeout: text('Time for a scrape.', '^[0-9]+(ms|s|m)$'),
      tlsConfig: KUBERNETES.map(
        'How the certificate is verified (TLSConfig of the operator), if config.web.tls is set.',
      ),
      authorization: section('A bearer token, by reference; for config.web.tokens.', {
        credentials: secretKey('Secret and key of the token.'),
      }),
      basicAuth: {
        ...basicAuth,
        properties: {
          username: secretKey('Secret and key of the name.'),
          password: secretKey('Secret and key of the password.'),
        },
      },
    }),
    prometheusRule: section('The rules and alerts of deploy/prometheus, and alerts for a watcher that is gone.', {
      enabled: flag('Creates a PrometheusRule.'),
      shared: flag('Includes the rules for all sites: true in one release of those that one Prometheus sees.'),
      labels: texts('Labels that the operator selects by.'),
      runbookURLPattern: text(
        'Address of the runbooks, with %s for the page: https://ftm.example.org/runbooks/%s. Empty: alerts and ' +
          'dashboards have no links to runbooks.',
        '^(https?://.*%s.*)?$',
      ),
      thresholds: section(
        'What the rules compare with.',
        Object.fromEntries(thresholds.map((one) => [one.name, thresholdSchema(one)])),
      ),
    }),
    dashboards: section('The dashboards of deploy/grafana, in a ConfigMap for the sidecar of Grafana.', {
      enabled: flag('Creates the ConfigMap.'),
      labels: texts('Labels that the sidecar selects by.'),
      annotations: texts('Annotations, such as the folder.'),
    }),
  };
}

function thresholdSchema({ value, description }: Threshold): JsonSchema {
  return typeof value === 'number'
    ? { description, type: 'number', minimum: 0 }
    : { description, type: 'string', pattern: '^[0-9]+(s|m|h|d)$' };
}
