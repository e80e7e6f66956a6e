import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const run = promisify(execFile);

const CHART = 'deploy/helm/ftm-watch';

export type ChartValues = Readonly<Record<string, unknown>>;

/** Fields of every Kubernetes object. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export interface RenderedChart {
  readonly objects: readonly KubernetesObject[];
  readonly notes: string;
}

/** Renders the chart as Helm does, but without Helm: test/support/packaging/chart-renderer. */
export interface ChartRenderer extends AsyncDisposable {
  /**
   * @param apiVersions additional APIs of the cluster
   * @throws {Error} with the template's message if it rejects the values
   */
  render(values: ChartValues, apiVersions?: readonly string[]): Promise<RenderedChart>;
}

/** Compiles the renderer with Debian's Go and Debian's Go source packages, so that nothing is downloaded. */
export async function buildChartRenderer(chart: string = CHART): Promise<ChartRenderer> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-chart-'));
  const program = join(folder, 'chart-renderer');
  const cache = resolve('.cache/go');
  await mkdir(cache, { recursive: true });
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    GOCACHE: cache,
  };
  await run('go', ['build', '-o', program, 'test/support/packaging/chart-renderer/main.go'], { env });
  return {
    render: async (values, apiVersions = []) => {
      const files = await ask([program, chart], { release: 'ftm-watch', namespace: 'monitoring', values, apiVersions });
      const { 'templates/NOTES.txt': notes = '', ...manifests } = files;
      const objects = Object.values(manifests).map((manifest) => parse(manifest) as KubernetesObject | null);
      return { notes, objects: objects.filter((object) => object !== null) };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

async function ask(
  [program, chart]: readonly [string, string],
  request: object,
): Promise<Readonly<Record<string, string>>> {
  const child = spawn(program, [chart], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify(request));
  const [answer, complaint] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (complaint !== '') throw new Error(`The chart refuses the values: ${complaint.trim()}`);
  return JSON.parse(answer) as Readonly<Record<string, string>>;
}

/** Returns the object of a kind, and of a name if there are several. @throws {Error} if there is none */
export function objectOf({ objects }: RenderedChart, kind: string, name?: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name));
  if (found === undefined) throw new Error(`The chart has no ${kind} ${name ?? ''}`);
  return found;
}
