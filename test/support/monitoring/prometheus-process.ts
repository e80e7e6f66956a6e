import { freePort } from '../network/free-port.ts';
import { servesAt, startProgram, type StartedProgram } from '../process/start-program.ts';

type Labels = Readonly<Record<string, string>>;

/** Debian's Prometheus on loopback, with the configuration in a folder. */
export interface PrometheusProcess extends StartedProgram {
  readonly url: string;
  /** Returns the labels of the alerts that are firing. */
  firing(): Promise<readonly Labels[]>;
  /** Returns the current value of a query's first series; null if it has none. */
  value(query: string): Promise<number | null>;
  /** Returns the current values of all series of a query. */
  values(query: string): Promise<readonly number[]>;
  /** Returns the current series of a query. */
  series(query: string): Promise<readonly { readonly labels: Labels; readonly value: number }[]>;
  /**
   * Returns the current number of series of a query. @throws {Error} with Prometheus' message if the query is invalid
   */
  count(query: string): Promise<number>;
}

/**
 * @param folder contains prometheus.yml; data is written to it as well
 * @param flags additional command line flags
 */
export async function startPrometheus(folder: string, flags: readonly string[] = []): Promise<PrometheusProcess> {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const program = await startProgram(() => ({
    command: [
      'prometheus',
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${new URL(url).host}`,
      ...flags,
    ],
    readyWhen: servesAt(`${url}/-/ready`),
  }));
  return {
    ...program,
    url,
    async firing() {
      const response = await fetch(`${url}/api/v1/alerts`);
      const { data } = (await response.json()) as {
        data: { alerts: readonly { readonly state: string; readonly labels: Labels }[] };
      };
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
    },
    value: async (query) => {
      const [first] = await ask(url, query);
      return first === undefined ? null : Number(first.value[1]);
    },
    values: async (query) => (await ask(url, query)).map(({ value: [, text] }) => Number(text)),
    series: async (query) =>
      (await ask(url, query)).map(({ metric, value: [, text] }) => ({ labels: metric, value: Number(text) })),
    count: async (query) => (await ask(url, query)).length,
  };
}

interface Sample {
  readonly metric: Labels;
  readonly value: readonly [seconds: number, text: string];
}

async function ask(url: string, query: string): Promise<readonly Sample[]> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
  const { data, error } = (await response.json()) as { data?: { result: readonly Sample[] }; error?: string };
  if (data === undefined) throw new Error(`Cannot run the query "${query}": ${error ?? 'no data'}`);
  return data.result;
}
