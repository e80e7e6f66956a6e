import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PrometheusRule, ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Service, ServiceAccount } from 'kubernetes-models/v1';
import type { KubernetesObject } from '../../support/packaging/chart.ts';

const run = promisify(execFile);

const OPERATOR = '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';

/** The class that validates each kind, and the module that contains the type `I` with the kind. */
const KINDS = {
  ConfigMap: [ConfigMap, 'kubernetes-models/v1'],
  Deployment: [Deployment, 'kubernetes-models/apps/v1'],
  Ingress: [Ingress, 'kubernetes-models/networking.k8s.io/v1'],
  NetworkPolicy: [NetworkPolicy, 'kubernetes-models/networking.k8s.io/v1'],
  PersistentVolumeClaim: [PersistentVolumeClaim, 'kubernetes-models/v1'],
  PodDisruptionBudget: [PodDisruptionBudget, 'kubernetes-models/policy/v1'],
  PrometheusRule: [PrometheusRule, OPERATOR],
  Service: [Service, 'kubernetes-models/v1'],
  ServiceAccount: [ServiceAccount, 'kubernetes-models/v1'],
  ServiceMonitor: [ServiceMonitor, OPERATOR],
} as const;

function isKnown(kind: string): kind is keyof typeof KINDS {
  return kind in KINDS;
}

/**
 * Returns the errors that the schema of its kind finds in an object's values. Kubernetes' schemas allow all unknown
 * fields.
 */
export function problemsOf(object: KubernetesObject): readonly string[] {
  if (!isKnown(object.kind)) return [`${object.kind}: an unknown kind`];
  const [Model] = KINDS[object.kind];
  if (object.apiVersion !== Model.apiVersion)
    return [`${object.kind}: apiVersion must be "${Model.apiVersion}", not "${object.apiVersion}"`];
  try {
    // The constructor accepts anything, which is then validated.
    new Model(object as never).validate();
    return [];
  } catch (error) {
    return [`${object.kind}: ${String(error)}`];
  }
}

/**
 * Returns the errors that the compiler finds in objects, including unknown fields. Its types are generated from the
 * same schemas.
 */
export async function misfitsOf(objects: readonly KubernetesObject[]): Promise<readonly string[]> {
  const folder = resolve('.cache', `chart-types-${String(process.pid)}`);
  mkdirSync(folder, { recursive: true });
  const kinds = Object.entries(KINDS);
  const imports = kinds.map(([kind, [, module]]) => `import type { I${kind} } from '${module}';`);
  const checks = objects.map((object) => `export const _ = ${JSON.stringify(object)} satisfies I${object.kind};`);
  checks.forEach((check, index) => {
    writeFileSync(join(folder, `object-${String(index)}.ts`), [...imports, check].join('\n'));
  });
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    '',
  ];
  const files = objects.map((_, index) => join(folder, `object-${String(index)}.ts`));
  try {
    await run('node_modules/.bin/tsc', [...options, ...files]);
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout: string };
    return stdout.split('\n').filter((line) => line.includes('error TS'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
