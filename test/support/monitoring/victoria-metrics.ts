import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { servesAt, startProgram } from '../process/start-program.ts';

/** A program that listens for HTTP, until disposal. */
export interface ServingProcess extends AsyncDisposable {
  readonly url: string;
}

/** Starts Debian's single-node VictoriaMetrics, in which new data is visible immediately. */
export function startVictoriaMetrics(folder: string): Promise<ServingProcess> {
  return serve('victoria-metrics', [
    `-storageDataPath=${join(folder, 'victoria-metrics')}`,
    '-search.latencyOffset=1s',
    '-inmemoryDataFlushInterval=1s',
  ]);
}

/** Starts Debian's vmalert with the rules in a folder. */
export function startVmalert(
  rules: string,
  { store, alertmanagers }: { readonly store: string; readonly alertmanagers: readonly string[] },
): Promise<ServingProcess> {
  return serve('vmalert', [
    `-rule=${rules}/*.yml`,
    `-datasource.url=${store}`,
    `-remoteWrite.url=${store}`,
    `-remoteRead.url=${store}`,
    ...alertmanagers.map((url) => `-notifier.url=${url}`),
    '-evaluationInterval=5s',
    '-datasource.queryStep=1m',
    '-disableAlertgroupLabel',
    // For tests: data is available sooner than in a store with many series.
    '-rule.evalDelay=10s',
    '-remoteWrite.flushInterval=500ms',
  ]);
}

async function serve(program: string, flags: readonly string[]): Promise<ServingProcess> {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const started = await startProgram(() => ({
    command: [program, ...flags, `-httpListenAddr=${new URL(url).host}`],
    readyWhen: servesAt(`${url}/health`),
  }));
  return { ...started, url };
}
