import type { JsonSchema } from '../../../src/config/config.ts';
import { choice, flag, KUBERNETES, section, text, texts } from './schema-pieces.ts';

/** The values about the pod: where it runs, as whom, and what else it has. */
export function podSchema(): Readonly<Record<string, JsonSchema>> {
  return {
    pair: section('Two releases with the same config.site that watch the same path.', {
      name: text('The same in both: they then run on different nodes.', '^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$'),
    }),
    podDisruptionBudget: section('Keeps one of a pair running while nodes are drained.', {
      enabled: flag('In one release of a pair.'),
    }),
    podSecurityContext: KUBERNETES.map('As whom its containers run (PodSecurityContext).'),
    securityContext: KUBERNETES.map('What the container may do (SecurityContext).'),
    startupProbe: probe('Until when it has started'),
    livenessProbe: probe('Whether it lives'),
    readinessProbe: probe('Whether it has looked once'),
    ...more(),
    resources: KUBERNETES.map('What it may use (ResourceRequirements).'),
    dnsPolicy: choice(
      'Whose resolver "system" is: that of the cluster or that of the node.',
      'ClusterFirst',
      'Default',
      'None',
    ),
    dnsConfig: KUBERNETES.map('Resolvers and search domains of its own (PodDNSConfig).'),
    priorityClassName: text('Priority class of the pod.'),
    nodeSelector: texts(
      'Labels of the nodes that it may run on: those behind the firewall policies of FortiAuthenticator.',
    ),
    tolerations: KUBERNETES.list('Taints that it tolerates (Toleration).'),
    affinity: KUBERNETES.map('Where it prefers to run (Affinity), instead of what pair.name says.'),
    topologySpreadConstraints: KUBERNETES.list('How it is spread (TopologySpreadConstraint).'),
    deploymentAnnotations: texts('Annotations of the Deployment.'),
    podLabels: texts('More labels of the pod.'),
    podAnnotations: texts('More annotations of the pod.'),
  };
}

function more(): Readonly<Record<string, JsonSchema>> {
  return {
    extraEnv: KUBERNETES.list('More environment (EnvVar).'),
    extraEnvFrom: KUBERNETES.list('More environment, from ConfigMaps and Secrets (EnvFromSource).'),
    extraVolumes: KUBERNETES.list('More volumes (Volume).'),
    extraVolumeMounts: KUBERNETES.list('Where they are mounted (VolumeMount).'),
  };
}

/** What the chart asks is fixed: how often is not. */
function probe(description: string): JsonSchema {
  const seconds = { type: 'integer', minimum: 1 } as const;
  return {
    description: `${description}; null: it is not asked.`,
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
