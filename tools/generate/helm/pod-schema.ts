import type { JsonSchema } from '../../../src/config/config.ts';
import { choice, flag, KUBERNETES, section, text, texts } from './schema-pieces.ts';

/** Returns the values about the pod: where it runs, its user, and its other contents. */
export function podSchema(): Readonly<Record<string, JsonSchema>> {
  return {
    pair: section('Two releases with the same config.site that watch the same path.', {
      name: text(
        'The same name in both releases: their pods then run on different nodes.',
        '^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$',
      ),
    }),
    podDisruptionBudget: section('Keeps one of a pair running while nodes are drained.', {
      enabled: flag('Creates a PodDisruptionBudget: true in one release of a pair.'),
    }),
    podSecurityContext: KUBERNETES.map('User and groups of the pod (PodSecurityContext).'),
    securityContext: KUBERNETES.map('What the container may do (SecurityContext).'),
    startupProbe: probe('How often the start is checked'),
    livenessProbe: probe('How often liveness is checked'),
    readinessProbe: probe('How often readiness is checked'),
    ...more(),
    resources: KUBERNETES.map('Processor and memory (ResourceRequirements).'),
    dnsPolicy: choice(
      'Which resolver "system" is: that of the cluster, or that of the node (Default).',
      'ClusterFirst',
      'Default',
      'None',
    ),
    dnsConfig: KUBERNETES.map('Resolvers and search domains (PodDNSConfig), with dnsPolicy None.'),
    priorityClassName: text('Priority class of the pod.'),
    nodeSelector: texts(
      'Labels of the nodes that can run the pod: they must be behind the firewall policies of FortiAuthenticator.',
    ),
    tolerations: KUBERNETES.list('Taints that the pod tolerates (Toleration).'),
    affinity: KUBERNETES.map('Affinity of the pod (Affinity); replaces the one that pair.name sets.'),
    topologySpreadConstraints: KUBERNETES.list('How pods are spread (TopologySpreadConstraint).'),
    deploymentAnnotations: texts('Annotations of the Deployment.'),
    podLabels: texts('More labels of the pod.'),
    podAnnotations: texts('More annotations of the pod.'),
  };
}

function more(): Readonly<Record<string, JsonSchema>> {
  return {
    extraEnv: KUBERNETES.list('More environment variables (EnvVar).'),
    extraEnvFrom: KUBERNETES.list('More environment variables, from ConfigMaps and Secrets (EnvFromSource).'),
    extraVolumes: KUBERNETES.list('More volumes (Volume).'),
    extraVolumeMounts: KUBERNETES.list('Where these volumes are mounted (VolumeMount).'),
  };
}

/** The request of the chart's probe is fixed, but its interval is not. */
function probe(description: string): JsonSchema {
  const seconds = { type: 'integer', minimum: 1 } as const;
  return {
    description: `${description}; null: no probe.`,
    type: ['object', 'null'],
    properties: {
      initialDelaySeconds: { type: 'integer', minimum: 0 },
      periodSeconds: seconds,
      timeoutSeconds: seconds,
      failureThreshold: seconds,
      successThreshold: seconds,
      terminationGracePeriodSeconds: seconds,
    },
    additionalProperties: false,
  };
}
