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
      global: KUBERNETES.map('Values of a parent chart, which are not used.'),
    },
  };
}

function program(): Readonly<Record<string, JsonSchema>> {
  return {
    nameOverride: text('Name of the application in labels. If empty, the name of the chart is used.'),
    fullnameOverride: text(
      'Name of all objects. If empty, it consists of the names of the release and the application.',
    ),
    image: section('The image, which is built with the Dockerfile.', {
      repository: text('Registry and name.', '^[^\\s@]+$'),
      tag: text("Tag. If empty, the chart's appVersion is used."),
      digest: text('Digest, which is used instead of the tag.', '^(sha256:[0-9a-f]{64})?$'),
      pullPolicy: choice('Policy that determines when the image is pulled.', 'Always', 'IfNotPresent', 'Never'),
    }),
    imagePullSecrets: {
      description: "Secrets with the registry's login (LocalObjectReference).",
      type: 'array',
      items: section('A Secret.', { name: text('Name of the Secret.', NAME) }, ['name']),
    },
    config: configuration(),
    existingSecret: text(
      'Name of an existing Secret whose key ftm-watch.yaml contains the configuration file.',
      `^$|${NAME}`,
    ),
    files: {
      description:
        'Public files by name, such as CA certificates, which are stored in /etc/ftm-watch next to ' +
        'ftm-watch.yaml. Never a secret.',
      type: 'object',
      propertyNames: { pattern: '^[-._a-zA-Z0-9]+$', not: { const: 'ftm-watch.yaml' } },
      additionalProperties: { type: 'string', not: { pattern: 'PRIVATE KEY' } },
    },
    secrets: names(
      'Names of existing Secrets. The key KEY of the Secret NAME becomes the file /run/secrets/ftm-watch/NAME/KEY.',
    ),
    persistence: section('The volume for the database.', {
      enabled: flag('Whether the database outlives the pod.'),
      existingClaim: text('Name of an existing claim to use.'),
      storageClass: text(
        'Storage class. If empty, the default class is used. File locks must work, so NFS cannot be used.',
      ),
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
      'The configuration file ftm-watch.yaml. Every key is explained in docs/configuration.md. If "site" is ' +
      'missing, the name of the release is used.',
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
    syslogService: section('The service that receives log lines. It is created if config.logs.syslog is set.', {
      type: choice(
        'Type of the service. Only NodePort and LoadBalancer preserve the source addresses of appliances ' +
          'outside the cluster.',
        'LoadBalancer',
        'NodePort',
        'ClusterIP',
      ),
      annotations: texts('Annotations of the object.'),
      loadBalancerClass: text('Class of the load balancer. If empty, the default class is used.'),
      loadBalancerSourceRanges: {
        description: 'CIDR blocks from which log lines are accepted.',
        type: 'array',
        items: { type: 'string', pattern: '/[0-9]+$' },
      },
      ports: section(
        'The ports to which appliances send log lines.',
        { udp: port('UDP'), tcp: port('TCP'), tls: port('TLS') },
        ['udp', 'tcp', 'tls'],
      ),
    }),
    ingress: section('Access to the status page from outside the cluster by a host name.', {
      enabled: flag('Creates an Ingress.'),
      className: text('Class of the Ingress. If empty, the default class is used.'),
      annotations: texts('Annotations of the object.'),
      hosts: {
        description: 'Host names of the page, each with paths. The default path is /.',
        type: 'array',
        items: INGRESS_HOST,
      },
      tls: KUBERNETES.list('Certificates (IngressTLS).'),
    }),
    serviceAccount: section("The pod's service account, which has no permissions and no token.", {
      create: flag('Creates a service account.'),
      name: text(
        'Name of the account. If empty, the name of all objects is used, or "default" if no account is created.',
      ),
      annotations: texts('Annotations of the object.'),
    }),
    networkPolicy: section('Peers that can connect to the pod, and destinations to which the pod can connect.', {
      enabled: flag('Creates a NetworkPolicy.'),
      http: KUBERNETES.list(
        'Peers that can read metrics and the status page (NetworkPolicyPeer). If empty, no peer has access.',
      ),
      syslog: KUBERNETES.list('Peers that can send log lines (NetworkPolicyPeer). If empty, no peer has access.'),
      extraEgress: KUBERNETES.list(
        'Rules in addition to the rules for the ports in the configuration (NetworkPolicyEgressRule).',
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
    prometheusRelease: text('Release of kube-prometheus-stack, which selects objects by the label "release".'),
    serviceMonitor: section('The ServiceMonitor for the Prometheus operator.', {
      enabled: flag('Creates a ServiceMonitor.'),
      labels: texts('Labels by which the operator selects the object.'),
      interval: text('Time between scrapes.', '^[0-9]+(ms|s|m)$'),
      scrapeTimeout: text('Timeout for a scrape.', '^[0-9]+(ms|s|m)$'),
      tlsConfig: KUBERNETES.map(
        "Settings for verifying the certificate (the operator's TLSConfig), if config.web.tls is set.",
      ),
      authorization: section('A bearer token, by reference; for config.web.tokens.', {
        credentials: secretKey('Secret and key that contain the token.'),
      }),
      basicAuth: {
        ...basicAuth,
        properties: {
          username: secretKey('Secret and key that contain the user name.'),
          password: secretKey('Secret and key that contain the password.'),
        },
      },
    }),
    prometheusRule: section('The rules and alerts of deploy/prometheus, and alerts for a missing pod.', {
      enabled: flag('Creates a PrometheusRule.'),
      shared: flag(
        'Includes the rules for all sites. Set this to true in only one of the releases that a Prometheus scrapes.',
      ),
      labels: texts('Labels by which the operator selects the object.'),
      runbookURLPattern: text(
        'Address of the runbooks with %s for the page, such as https://ftm.example.org/runbooks/%s. ' +
          'If empty, alerts and dashboards have no links to runbooks.',
        '^(https?://.*%s.*)?$',
      ),
      thresholds: section(
        'Thresholds of the rules.',
        Object.fromEntries(thresholds.map((one) => [one.name, thresholdSchema(one)])),
      ),
    }),
    dashboards: section("The dashboards of deploy/prometheus/mixin in a ConfigMap for Grafana's sidecar.", {
      enabled: flag('Creates the ConfigMap.'),
      labels: texts('Labels by which the sidecar selects the ConfigMap.'),
      annotations: texts('Annotations, such as the folder.'),
    }),
  };
}

function thresholdSchema({ value, description }: Threshold): JsonSchema {
  return typeof value === 'number'
    ? { description, type: 'number', minimum: 0 }
    : { description, type: 'string', pattern: '^[0-9]+(s|m|h|d)$' };
}
