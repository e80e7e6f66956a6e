import type { JsonSchema } from '../../../src/config/config.ts';
import { choice, flag, KUBERNETES, section, text, texts } from './schema-pieces.ts';

/** Returns the values about the pod: where it runs, its user, and its other contents. */
export function podSchema(): Readonly<Record<string, JsonSchema>> {
  return {
    pair: section('Two releases with the same config.site that monitor the same path.', {
      name: text(
        'Name of the pair, which is the same in both releases. Their pods then run on different nodes.',
        '^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$',
      ),
    }),
    podDisruptionBudget: section('Keeps one pod of a pair running while nodes are drained.', {
      enabled: flag('Creates a PodDisruptionBudget. Set this to true in only one release of a pair.'),
    }),
    podSecurityContext: KUBERNETES.map("The pod's user and groups (PodSecurityContext)."),
    securityContext: KUBERNETES.map("The container's permissions (SecurityContext)."),
    startupProbe: probe('Interval at which the start is checked'),
    livenessProbe: probe('Interval at which liveness is checked'),
    readinessProbe: probe('Interval at which readiness is checked'),
    ...more(),
    resources: KUBERNETES.map('Requests and limits for CPU and memory (ResourceRequirements).'),
    dnsPolicy: choice(
      'Resolver that "system" uses, which is the resolver of the cluster or of the node (Default).',
      'ClusterFirst',
      'Default',
      'None',
    ),
    dnsConfig: KUBERNETES.map('Resolvers and search domains (PodDNSConfig) for dnsPolicy None.'),
    priorityClassName: text('Priority class of the pod.'),
    nodeSelector: texts(
      "Labels of the nodes that can run the pod. FortiAuthenticator's firewall policies must apply to these nodes.",
    ),
    tolerations: KUBERNETES.list('Taints that the pod tolerates (Toleration).'),
    affinity: KUBERNETES.map("The pod's affinity (Affinity). It replaces the affinity that pair.name sets."),
    topologySpreadConstraints: KUBERNETES.list('Rules for spreading pods (TopologySpreadConstraint).'),
    deploymentAnnotations: texts('Annotations of the Deployment.'),
    podLabels: texts('Additional labels of the pod.'),
    podAnnotations: texts('Additional annotations of the pod.'),
  };
}

function more(): Readonly<Record<string, JsonSchema>> {
  return {
    extraEnv: KUBERNETES.list('Additional environment variables (EnvVar).'),
    extraEnvFrom: KUBERNETES.list('More environment variables, from ConfigMaps and Secrets (EnvFromSource).'),
    extraVolumes: KUBERNETES.list('More volumes (Volume).'),
    extraVolumeMounts: KUBERNETES.list('Mounts for the additional volumes (VolumeMount).'),
  };
}

/** Describes a probe. The chart fixes the probe's request, but its interval can be set. */
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
