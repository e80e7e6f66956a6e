import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';

/** The values that are handed to Kubernetes as they are: its own schemas judge them. */
const KUBERNETES = {
  map: (description: string): JsonSchema => ({ description, type: 'object' }),
  list: (description: string): JsonSchema => ({ description, type: 'array', items: { type: 'object' } }),
} as const;

const NAME = String.raw`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`;
const PORT: JsonSchema = { type: 'integer', minimum: 1, maximum: 65_535 };
const SECRET_KEY = { name: { type: 'string', pattern: NAME }, key: { type: 'string', minLength: 1 } } as const;

function text(description: string, pattern?: string): JsonSchema {
  return { description, type: 'string', ...(pattern !== undefined && { pattern }) };
}

function choice(description: string, ...values: readonly string[]): JsonSchema {
  return { description, enum: values };
}

function flag(description: string): JsonSchema {
  return { description, type: 'boolean' };
}

function texts(description: string): JsonSchema {
  return { description, type: 'object', additionalProperties: { type: 'string' } };
}

function names(description: string): JsonSchema {
  return { description, type: 'array', items: { type: 'string', pattern: NAME }, uniqueItems: true };
}

/** Nothing but these, so that a typo is told and does not leave a default in force. */
function section(
  description: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { description, type: 'object', properties, additionalProperties: false, required };
}

/**
 * The schema (draft 7, which every Helm understands) that Helm holds values against. What stands under `config` is the
 * schema of the configuration file itself: a wrong key is refused before anything is changed in the cluster.
 */
export function valuesSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart ftm-watch',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...program(),
      ...network(),
      ...monitoring(),
      ...pod(),
      global: KUBERNETES.map('Of a chart above this one; not used.'),
    },
  };
}

function program(): Readonly<Record<string, JsonSchema>> {
  return {
    nameOverride: text('Name of the application in labels, instead of the one of the chart.'),
    fullnameOverride: text('Name of all objects, instead of one made of the release and the application.'),
    image: section('The image, made with the Dockerfile.', {
      repository: text('Registry and name.', '^[^\\s@]+$'),
      tag: text('Tag; empty: the appVersion of the chart.'),
      digest: text('Digest, instead of the tag.', '^(sha256:[0-9a-f]{64})?$'),
      pullPolicy: choice('When it is pulled.', 'Always', 'IfNotPresent', 'Never'),
    }),
    imagePullSecrets: names('Names of Secrets with passwords of the registry.'),
    config: configuration(),
    files: {
      description:
        'Public texts in /etc/ftm-watch beside ftm-watch.yaml, by name, such as certificates of authorities. Never ' +
        'a secret.',
      type: 'object',
      propertyNames: { pattern: '^[-._a-zA-Z0-9]+$', not: { const: 'ftm-watch.yaml' } },
      additionalProperties: { type: 'string', not: { pattern: 'PRIVATE KEY' } },
    },
    secrets: names('Names of Secrets that are there: the key KEY of NAME is the file /run/secrets/ftm-watch/NAME/KEY.'),
    persistence: section('Where the database lives.', {
      enabled: flag('Whether it outlives the pod.'),
      existingClaim: text('Name of a claim that is there, instead of one made here.'),
      storageClass: text('Storage class; empty: the default one. It must lock files properly: no NFS.'),
      accessMode: choice('One node, or one pod, at a time.', 'ReadWriteOnce', 'ReadWriteOncePod'),
      size: text('Size of the volume.', '^[1-9][0-9]*(Mi|Gi|Ti)$'),
      annotations: texts('Annotations of the claim.'),
    }),
  };
}

/** The configuration file, with what the chart itself reads from it. */
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
          // The pod is asked from outside, at a port that is known. Go's expressions cannot look ahead.
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

function network(): Readonly<Record<string, JsonSchema>> {
  return {
    service: section('The service of the status page, the metrics and the API.', {
      type: choice('Its type.', 'ClusterIP', 'NodePort', 'LoadBalancer'),
      annotations: texts('Its annotations.'),
    }),
    syslogService: section('The service that log lines come in by; there is one where config.logs.syslog listens.', {
      type: choice(
        'Its type. Only NodePort and LoadBalancer keep the source addresses of appliances outside.',
        'LoadBalancer',
        'NodePort',
        'ClusterIP',
      ),
      annotations: texts('Its annotations.'),
      loadBalancerClass: text('Class of the load balancer; empty: the default one.'),
      loadBalancerSourceRanges: {
        description: 'CIDR blocks that may send.',
        type: 'array',
        items: { type: 'string', pattern: '/[0-9]+$' },
      },
      ports: section('The ports that appliances send to.', { udp: PORT, tcp: PORT, tls: PORT }, ['udp', 'tcp', 'tls']),
    }),
    serviceAccount: section('The account of the pod. It has no rights and no token.', {
      create: flag('Whether it is made here.'),
      name: text('Its name; empty: the one of all objects, or "default" where none is made.'),
      annotations: texts('Its annotations.'),
    }),
    networkPolicy: section('Who may connect to the pod, and where it may connect to.', {
      enabled: flag('Whether there is a policy.'),
      http: KUBERNETES.list('Peers that may read metrics and the status page (NetworkPolicyPeer); none: nobody.'),
      syslog: KUBERNETES.list('Peers that may send log lines (NetworkPolicyPeer); none: nobody.'),
      egress: KUBERNETES.list(
        'Where it may connect to (NetworkPolicyEgressRule). A port that is missing looks like a fault of what is ' +
          'behind it.',
      ),
    }),
  };
}

function monitoring(): Readonly<Record<string, JsonSchema>> {
  const secretKey = section('A key of a Secret.', SECRET_KEY, ['name', 'key']);
  const basicAuth = {
    description: 'Name and password, by reference; for config.web.users.',
    type: 'object',
    additionalProperties: false,
  };
  return {
    serviceMonitor: section('How the Prometheus operator finds it.', {
      enabled: flag('Whether there is one.'),
      labels: texts('Labels that the operator selects by.'),
      interval: text('Time between scrapes.', '^[0-9]+(ms|s|m)$'),
      scrapeTimeout: text('Time for a scrape.', '^[0-9]+(ms|s|m)$'),
      tlsConfig: KUBERNETES.map('How its certificate is verified (TLSConfig of the operator); for config.web.tls.'),
      basicAuth: { ...basicAuth, properties: { username: secretKey, password: secretKey } },
    }),
    prometheusRule: section('The rules and alerts of deploy/prometheus, and alerts for a watcher that is gone.', {
      enabled: flag('Whether there are any.'),
      shared: flag('Whether those for all sites are in this release: in one of those that one Prometheus sees.'),
      labels: texts('Labels that the operator selects by.'),
    }),
  };
}

function pod(): Readonly<Record<string, JsonSchema>> {
  return {
    pair: section('Two releases with the same config.site that watch the same path.', {
      name: text('The same in both: they then run on different nodes.', '^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$'),
    }),
    podDisruptionBudget: section('Keeps one of a pair running while nodes are drained.', {
      enabled: flag('In one release of a pair.'),
    }),
    resources: KUBERNETES.map('What it may use (ResourceRequirements).'),
    dnsPolicy: choice(
      'Whose resolver "system" is: that of the cluster or that of the node.',
      'ClusterFirst',
      'Default',
    ),
    priorityClassName: text('Priority class of the pod.'),
    nodeSelector: texts(
      'Labels of the nodes that it may run on: those behind the firewall policies of FortiAuthenticator.',
    ),
    tolerations: KUBERNETES.list('Taints that it tolerates (Toleration).'),
    affinity: KUBERNETES.map('Where it prefers to run (Affinity), instead of what pair.name says.'),
    podLabels: texts('More labels of the pod.'),
    podAnnotations: texts('More annotations of the pod.'),
  };
}
