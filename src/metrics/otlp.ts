import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { visibleText, withoutSecrets } from '../core/visible-text.ts';
import { type EgressDeps, requestOnce } from '../network/http/egress.ts';
import { headerIn, readHeaders, secretsIn } from '../network/http/secret-headers.ts';
import { nextTurn, sleep } from '../system/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { messageOf } from '../text/message-of.ts';

export interface PushedMetrics {
  readonly registry: Registry;
  /** The counters started at zero at this time. */
  readonly startedAt: EpochMs;
  /** Updates the metrics. Returns a function that must be called after a successful push. */
  refresh(): Promise<() => void>;
  failed(): void;
}

type OtlpConfig = NonNullable<Config['metrics']['otlp']>;

interface OtlpDeps extends EgressDeps {
  readonly logger: OperatorLog;
  readonly site: string;
  readonly metrics: PushedMetrics;
}

/**
 * Pushes all metrics over OTLP/HTTP (protobuf, gzip) until the signal is aborted. A failed request is retried with
 * increasing pauses until the next push is due. It is not queued, because the next push contains newer values.
 * @param config null to use the collector in the environment variables
 */
export function pushMetrics(config: OtlpConfig | null, deps: OtlpDeps, signal: AbortSignal): void {
  const { logger } = deps;
  try {
    const collector = config === null ? collectorOfEnvironment(deps.env) : collectorOf(config, deps);
    logger.info(
      { event: 'metrics-push-starting', to: collector.origin, everySeconds: collector.every / 1000 },
      'Pushing metrics over OTLP',
    );
    void new Pusher(collector, deps, signal).run().catch(() => undefined);
  } catch (error) {
    logger.warn(
      { event: 'metrics-push-misconfigured', error: messageOf(error) },
      'Cannot push metrics over OTLP. Correct the environment variables and restart',
    );
  }
}

interface Collector {
  readonly url: string;
  /** For the log. The path is left out, because it can be secret. */
  readonly origin: string;
  readonly every: Millis;
  readonly caFile: string | null;
  readonly readHeaders: () => ReturnType<typeof readHeaders>;
}

function collectorOf({ url, headers, every, caFile }: OtlpConfig, { readSecret }: OtlpDeps): Collector {
  return {
    url,
    origin: new URL(url).origin,
    every,
    caFile,
    readHeaders: () => readHeaders({ headers }, readSecret),
  };
}

const USUAL_INTERVAL: Millis = 60_000;
const OWN = { url: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', headers: 'OTEL_EXPORTER_OTLP_METRICS_HEADERS' };
const GENERAL = { url: 'OTEL_EXPORTER_OTLP_ENDPOINT', headers: 'OTEL_EXPORTER_OTLP_HEADERS' };

/**
 * The environment variables defined in the specification "OpenTelemetry Protocol Exporter". Variables for metrics take
 * precedence over general variables. An empty variable counts as unset.
 * @throws {Error} if a variable is invalid; the message does not contain any part of its value
 */
function collectorOfEnvironment(env: NodeJS.ProcessEnv): Collector {
  const [own, general] = [env[OWN.url] ?? '', env[GENERAL.url] ?? ''];
  const url = own === '' ? urlIn(GENERAL.url, `${general.replace(/\/$/u, '')}/v1/metrics`) : urlIn(OWN.url, own);
  // If the general protocol is `grpc`, the general URL cannot be used, because gRPC has a different port.
  const protocol = env['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'] || 'http/protobuf';
  if (protocol !== 'http/protobuf')
    throw new Error(
      `Unsupported protocol "${visibleText(protocol, 40)}" in OTEL_EXPORTER_OTLP_PROTOCOL: expected "http/protobuf"`,
    );
  const headers = Object.fromEntries(
    (env[OWN.headers] || env[GENERAL.headers] || '')
      .split(',')
      .filter((pair) => pair.trim() !== '')
      .map((pair) => headerIn(decoded(pair), '=', `"name=value", separated by commas, in ${GENERAL.headers}`)),
  );
  return {
    url,
    origin: new URL(url).origin,
    every: USUAL_INTERVAL,
    caFile: null,
    readHeaders: () => Promise.resolve({ headers, secrets: Object.values(headers).flatMap(secretsIn) }),
  };
}

function urlIn(variable: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/u.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Error(`Invalid value of ${variable}: expected a URL such as "https://otel.example.org"`);
  return url.href;
}

/** Headers are percent-encoded, as in W3C Baggage. */
function decoded(pair: string): string {
  try {
    return decodeURIComponent(pair);
  } catch {
    return pair;
  }
}

type Outcome = 'arrived' | Failure;

interface Failure {
  readonly error: string;
  readonly again: boolean;
  readonly retryAfter: Millis | null;
}

/** The same default as in the OpenTelemetry SDKs. */
const REQUEST_DEADLINE: Millis = 10_000;
/** The first pause is doubled after each failed attempt, up to the longest pause. */
const PAUSE = { first: 1_000, longest: 60_000 };
const LONGEST_RETRY_AFTER: Millis = 900_000;
/** "Retryable Response Codes" for OTLP/HTTP in OTLP 1.x. After other codes, a request must not be repeated. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const compress = promisify(gzip);

class Pusher {
  readonly #collector: Collector;
  readonly #deps: OtlpDeps;
  readonly #signal: AbortSignal;
  #isFailing = false;

  constructor(collector: Collector, deps: OtlpDeps, signal: AbortSignal) {
    this.#collector = collector;
    this.#deps = deps;
    this.#signal = signal;
  }

  async run(): Promise<never> {
    const { clock } = this.#deps;
    for (;;) {
      const due = clock.elapsed() + this.#collector.every;
      const pause = await this.#pushUntil(due).catch((error: unknown) => {
        this.#note({ error: messageOf(error), again: false, retryAfter: null });
        return 0;
      });
      await sleep(clock, Math.max(due - clock.elapsed(), pause), this.#signal);
    }
  }

  /** Returns how long to wait before the next push. */
  async #pushUntil(due: Millis): Promise<Millis> {
    const { clock, metrics, site } = this.#deps;
    const arrived = await metrics.refresh();
    const body = await compress(await encodeMetrics(metrics, clock.now(), targetOf(site)));
    for (let pause = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
      const outcome = await this.#post(body);
      this.#note(outcome);
      if (outcome === 'arrived') arrived();
      if (outcome === 'arrived' || !outcome.again) return 0;
      // The pause is random, so that many sites that have lost their collector do not all reconnect at once.
      const wait = outcome.retryAfter ?? randomInt(pause / 2, pause);
      if (clock.elapsed() + wait >= due) return wait;
      await sleep(clock, wait, this.#signal);
    }
  }

  /** Counts every failure. Only the first failure and the recovery are logged. */
  #note(outcome: Outcome): void {
    const { logger, metrics } = this.#deps;
    if (this.#signal.aborted) return;
    if (outcome !== 'arrived') metrics.failed();
    if ((outcome !== 'arrived') === this.#isFailing) return;
    this.#isFailing = outcome !== 'arrived';
    const to = this.#collector.origin;
    if (outcome === 'arrived')
      logger.info({ event: 'metrics-push-accepted', to }, 'Pushing metrics over OTLP works again');
    else
      logger.warn(
        { event: 'metrics-push-failed', to, error: outcome.error },
        'Cannot push metrics over OTLP. The request will be retried',
      );
  }

  async #post(body: Buffer): Promise<Outcome> {
    const { url, caFile } = this.#collector;
    let secrets: readonly string[] = [];
    try {
      const own = await this.#collector.readHeaders();
      secrets = own.secrets;
      const headers = { ...own.headers, 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
      const request = { method: 'POST', headers, body } as const;
      const reply = await requestOnce({ url, caFile, limit: REQUEST_DEADLINE, request }, this.#deps, this.#signal);
      return outcomeOf(reply.status, withoutSecrets(reply.text, secrets), reply.retryAfter);
    } catch (error) {
      const shown = visibleText(withoutSecrets(messageOf(error), secrets), 300);
      return { error: shown, again: true, retryAfter: null };
    }
  }
}

function outcomeOf(status: number, text: string, asked: Millis | null): Outcome {
  if (status >= 200 && status < 300) return 'arrived';
  return {
    error: visibleText([`HTTP ${String(status)}`, adviceFor(status), text].filter(Boolean).join(': '), 300),
    again: RETRYABLE.has(status),
    retryAfter: asked === null ? null : Math.min(asked, LONGEST_RETRY_AFTER),
  };
}

function adviceFor(status: number): string {
  if (status >= 300 && status < 400) return 'redirects are not followed; set the URL that the redirect leads to';
  return status === 404 || status === 405 ? 'expected a URL that accepts metrics, such as ".../v1/metrics"' : '';
}

/**
 * Collectors derive the labels of a scraped target from these attributes, and rules and dashboards depend on the
 * labels. Prometheus derives `job` and `instance` from the two service attributes. VictoriaMetrics uses all attributes
 * unchanged.
 */
function targetOf(site: string): Readonly<Record<string, string>> {
  const [job, instance] = ['ftm-watch', hostname()];
  return { 'service.name': job, 'service.instance.id': instance, job, instance, site };
}

/*
 * The following code encodes the message ExportMetricsServiceRequest with field numbers from opentelemetry-proto v1:
 * collector/metrics/v1/metrics_service.proto, metrics/v1/metrics.proto, common/v1/common.proto and
 * resource/v1/resource.proto. The encoding is described at https://protobuf.dev/programming-guides/encoding/.
 */

/** Values are counted from the start of the process rather than from the last push. */
const CUMULATIVE = 2;
/** The number of series that are encoded before other tasks get a turn. */
const SERIES_A_TURN = 250;

/** Units and scopes are omitted, because metric stores would convert them into name suffixes and labels. */
export async function encodeMetrics(
  { registry, startedAt }: Pick<PushedMetrics, 'registry' | 'startedAt'>,
  at: EpochMs,
  target: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  // Both data point types use these field numbers.
  const times = Buffer.concat([fixed64(2, nanoseconds(startedAt)), fixed64(3, nanoseconds(at))]);
  const families: Uint8Array[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = await registry.getSingleMetric(name)?.get();
    if (metric === undefined || metric.values.length === 0) continue;
    const type = String(metric.type);
    const points: Uint8Array[] = [];
    for (const [index, series] of seriesOf(type, metric.values).entries()) {
      if (index % SERIES_A_TURN === 0) await nextTurn();
      points.push(embedded(1, type === 'histogram' ? histogramPoint(series, times) : numberPoint(series, times)));
    }
    families.push(embedded(2, text(1, name), text(2, metric.help), dataOf(type, points)));
  }
  const resource = Object.entries(target).map(([key, value]) => attribute(1, key, value));
  return embedded(1, embedded(1, ...resource), embedded(2, ...families));
}

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}

/** Each group is either one sample or all samples of a histogram. Buckets are in ascending order. */
function seriesOf(type: string, samples: readonly Sample[]): readonly (readonly Sample[])[] {
  if (type !== 'histogram') return samples.map((sample) => [sample]);
  return [...Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined })).values()];
}

function dataOf(type: string, points: readonly Uint8Array[]): Uint8Array {
  if (type === 'histogram') return embedded(9, ...points, varint(2, CUMULATIVE));
  return type === 'counter' ? embedded(7, ...points, varint(2, CUMULATIVE), varint(3, 1)) : embedded(5, ...points);
}

function numberPoint(series: readonly Sample[], times: Uint8Array): Uint8Array {
  return Buffer.concat(
    series.flatMap(({ labels, value }) => [...attributesOf(7, labels), times, fixed64(4, double(value))]),
  );
}

/** Unlike in Prometheus, bucket counts are not cumulative. */
function histogramPoint(series: readonly Sample[], times: Uint8Array): Uint8Array {
  const valueOf = (part: string): number => series.find(({ metricName }) => metricName?.endsWith(part))?.value ?? 0;
  const buckets = series.filter(({ labels }) => labels['le'] !== undefined);
  const counts = buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0));
  const bounds = buckets.map(({ labels }) => Number(labels['le'])).filter(Number.isFinite);
  return Buffer.concat([
    ...attributesOf(9, { ...series[0]?.labels, le: undefined }),
    times,
    fixed64(4, integer(valueOf('_count'))),
    fixed64(5, double(valueOf('_sum'))),
    embedded(6, ...counts.map(integer)),
    embedded(7, ...bounds.map(double)),
  ]);
}

function attributesOf(field: number, labels: Sample['labels']): readonly Uint8Array[] {
  return Object.entries(labels).flatMap(([key, value]) =>
    value === undefined ? [] : [attribute(field, key, String(value))],
  );
}

function attribute(field: number, key: string, value: string): Uint8Array {
  return embedded(field, text(1, key), embedded(2, text(1, value)));
}

const WIRE = { varint: 0, fixed64: 1, length: 2 };

function embedded(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([tag(field, WIRE.length), base128(length), ...parts]);
}

function text(field: number, value: string): Uint8Array {
  return embedded(field, Buffer.from(value, 'utf8'));
}

function varint(field: number, value: number): Uint8Array {
  return Buffer.concat([tag(field, WIRE.varint), base128(value)]);
}

function fixed64(field: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([tag(field, WIRE.fixed64), bytes]);
}

function tag(field: number, wire: number): Uint8Array {
  return base128((field << 3) | wire);
}

function base128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function integer(value: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function nanoseconds(at: EpochMs): Uint8Array {
  return integer(BigInt(Math.round(at)) * 1_000_000n);
}
