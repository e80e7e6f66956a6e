import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { objectOf, type RenderedChart } from '../../support/packaging/chart.ts';

/** The parts of the chart's pod that are used here. */
export interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Container {
  readonly image: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly protocol: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly [probe: `${string}Probe`]: {
    readonly httpGet: { readonly path: string; readonly port: string; readonly scheme: string };
  };
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
  readonly projected?: { readonly sources: readonly Source[] };
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly emptyDir?: object;
}

interface Source {
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly name: string };
}

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

export function podOf(chart: RenderedChart): PodTemplate {
  return (objectOf(chart, 'Deployment').spec as { readonly template: PodTemplate }).template;
}

/** The folders that a pod would see, below a folder of this machine. */
export interface PodFolders extends AsyncDisposable {
  readonly configFile: string;
}

type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Creates the pod's volumes, with keys in its Secrets. Paths in texts are changed to those below the folder of this
 * machine.
 */
export async function mountPod(chart: RenderedChart, secrets: Secrets): Promise<PodFolders> {
  const root = await mkdtemp(join(tmpdir(), 'ftm-watch-pod-'));
  const { containers, volumes } = podOf(chart).spec;
  for (const { name, mountPath } of containers.flatMap(({ volumeMounts }) => volumeMounts)) {
    const volume = volumes.find((candidate) => candidate.name === name);
    if (volume === undefined) throw new Error(`The mount "${name}" of the pod has no volume`);
    const contents = contentsOf(sourcesOf(volume), chart, secrets);
    await mkdir(join(root, mountPath), { recursive: true });
    for (const [key, text] of Object.entries(contents))
      await writeFile(
        join(root, mountPath, key),
        text.replaceAll(/(?<![\w.])\/(?=(?:run|var\/lib|etc)\/)/gu, `${root}/`),
      );
  }
  const configFile = join(root, 'etc/ftm-watch/ftm-watch.yaml');
  await mkdir(dirname(configFile), { recursive: true });
  return { configFile, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

function sourcesOf({ configMap, secret, projected }: Volume): readonly Source[] {
  if (secret !== undefined) return [{ secret: { name: secret.secretName } }];
  return configMap === undefined ? (projected?.sources ?? []) : [{ configMap }];
}

function contentsOf(
  sources: readonly Source[],
  chart: RenderedChart,
  secrets: Secrets,
): Readonly<Record<string, string>> {
  const texts = sources.map(({ configMap, secret }) =>
    configMap === undefined
      ? (secrets[secret?.name ?? ''] ?? {})
      : (objectOf(chart, 'ConfigMap', configMap.name).data ?? {}),
  );
  return Object.assign({}, ...texts) as Readonly<Record<string, string>>;
}
