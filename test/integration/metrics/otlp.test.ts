import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { Counter, Registry } from 'prom-client';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { pushMetrics } from '../../../src/metrics/otlp.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { MINUTE, START } from '../../support/store/incident-timeline.ts';
import { type LogRecorder, logRecorder } from '../../support/process/log-recorder.ts';
import { DIRECT } from '../../support/checks/message-context.ts';
import { decodeRequest } from '../../support/monitoring/otlp-message.ts';

// Otherwise the first push would load undici. The tests below wait only for the push itself.
beforeAll(async () => {
  await import('undici');
});

const PATIENCE = { timeout: 15_000 };

interface Push {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly pushes: Push[];
}

/** Answers the push with this number, counted from 1, by calling `answer` with the response. */
async function collector(answer: (response: ServerResponse, count: number) => unknown): Promise<Collector> {
  const pushes: Push[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      pushes.push({ path: request.url, headers: request.headers, body });
      answer(response, pushes.length);
    });
  });
  const { port, ...rest } = await listening(server);
  return { ...rest, url: `http://127.0.0.1:${String(port)}`, pushes };
}

/** Returns the value of the only metric in a push. */
function countIn({ body }: Push): unknown {
  const decoded = decodeRequest(gunzipSync(body));
  return JSON.stringify(decoded).match(/"asDouble":\[(?<value>\d+)\]/u)?.groups?.['value'];
}

interface Bench extends Disposable {
  readonly clock: HandClock;
  readonly logger: LogRecorder;
  /** The number of failed pushes, and how often metrics arrived. */
  readonly seen: { failed: number; arrived: number };
  /** Waits until this many pushes have ended and only the next one is pending. @returns what was counted */
  settled(count: number, server?: Collector): Promise<readonly unknown[]>;
}

/** Pushes a counter that increases by one each time it is read. */
function push(config: Partial<Config['metrics']['otlp']> | null, env: NodeJS.ProcessEnv = {}, secret = ''): Bench {
  const clock = handClock(START);
  const logger = logRecorder();
  const seen = { failed: 0, arrived: 0 };
  const registry = new Registry();
  const count = new Counter({ registers: [registry], name: 'count_total', help: 'Count' });
  const stopping = new AbortController();
  const usual = { url: '', headers: null, every: MINUTE, caFile: null };
  pushMetrics(
    config === null ? null : { ...usual, ...config },
    {
      ...DIRECT,
      env,
      clock,
      logger,
      site: 'hq',
      readSecret: () => Promise.resolve(secret),
      metrics: {
        registry,
        startedAt: START,
        refresh: () => {
          count.inc();
          return Promise.resolve(() => {
            seen.arrived += 1;
          });
        },
        failed: () => {
          seen.failed += 1;
        },
      },
    },
    stopping.signal,
  );
  return {
    clock,
    logger,
    seen,
    settled: async (ended, server) => {
      await expect.poll(() => [seen.failed + seen.arrived, clock.timers()], PATIENCE).toEqual([ended, 1]);
      return server === undefined ? [] : server.pushes.map(countIn);
    },
    [Symbol.dispose]: () => {
      stopping.abort(new Error('The test is over'));
      expect(clock.timers()).toBe(0);
    },
  };
}

const levels = ({ lines }: LogRecorder): readonly string[] => lines.map(({ level }) => level);

describe('metrics are pushed', () => {
  test('to the URL as it is, compressed, with the headers of a file and the labels of the target', async () => {
    await using server = await collector((response) => response.end());
    const headers = { kind: 'file', path: 'headers' } as const;
    const secret = 'Authorization: Bearer s3cret-token\nX-Scope-OrgID: hq\n';
    using bench = push({ url: `${server.url}/otlp/v1/metrics`, headers }, {}, secret);
    await bench.settled(1);
    const [first] = server.pushes;
    expect(first).toMatchObject({
      path: '/otlp/v1/metrics',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'gzip',
        authorization: 'Bearer s3cret-token',
        'x-scope-orgid': 'hq',
      },
    });
    const text = JSON.stringify(decodeRequest(gunzipSync(first?.body ?? Buffer.alloc(0))));
    for (const part of ['service.name', 'service.instance.id', '"job"', '"instance"', '"site"', '"hq"', 'count_total'])
      expect(text).toContain(part);
    bench.clock.advance(MINUTE - 1);
    expect(server.pushes).toHaveLength(1);
    bench.clock.advance(1);
    expect(await bench.settled(2, server)).toEqual(['1', '2']);
    expect(bench.seen).toEqual({ failed: 0, arrived: 2 });
    expect(levels(bench.logger)).toEqual(['info']);
  });

  test.each([429, 502, 503, 504])('once more after %i, with a growing pause', async (status) => {
    await using server = await collector((response, count) => response.writeHead(count < 3 ? status : 200).end());
    using bench = push({ url: server.url });
    await bench.settled(1);
    bench.clock.advance(499);
    expect(server.pushes).toHaveLength(1);
    bench.clock.advance(501);
    await bench.settled(2);
    bench.clock.advance(999);
    expect(server.pushes).toHaveLength(2);
    bench.clock.advance(1_001);
    // The values are the same, because metrics are not collected again for a retry.
    expect(await bench.settled(3, server)).toEqual(['1', '1', '1']);
    expect(bench.seen).toEqual({ failed: 2, arrived: 1 });
    expect(bench.logger.lines.slice(1)).toMatchObject([
      { level: 'warn', fields: { to: server.url, error: `HTTP ${String(status)}` } },
      { level: 'info', event: 'metrics-push-accepted' },
    ]);
  });

  test('after as long as the collector asks for, and then with newer values', async () => {
    await using server = await collector((response, count) =>
      count === 1
        ? response.writeHead(503, { 'retry-after': '20' }).end()
        : response.writeHead(429, { 'retry-after': '120' }).end(),
    );
    using bench = push({ url: server.url });
    await bench.settled(1);
    bench.clock.advance(19_999);
    expect(server.pushes).toHaveLength(1);
    bench.clock.advance(1);
    expect(await bench.settled(2, server)).toEqual(['1', '1']);
    // The next regular push would be due earlier.
    bench.clock.advance(119_999);
    expect(server.pushes).toHaveLength(2);
    bench.clock.advance(1);
    expect(await bench.settled(3, server)).toEqual(['1', '1', '2']);
  });

  test('not again before the next one is due when the collector refuses them, and never with a secret in the log', async () => {
    await using server = await collector((response) =>
      response.writeHead(401).end('unknown token s3cret-token in "Bearer s3cret-token"'),
    );
    const headers = { kind: 'env', name: 'HEADERS' } as const;
    using bench = push({ url: server.url, headers }, {}, 'Authorization: Bearer s3cret-token');
    for (const count of [1, 2]) {
      await bench.settled(count);
      bench.clock.advance(MINUTE - 1);
      expect(server.pushes).toHaveLength(count);
      bench.clock.advance(1);
    }
    expect(await bench.settled(3, server)).toEqual(['1', '2', '3']);
    expect(bench.seen).toEqual({ failed: 3, arrived: 0 });
    expect(levels(bench.logger)).toEqual(['info', 'warn']);
    expect(JSON.stringify(bench.logger.lines)).toContain('HTTP 401: unknown token');
    expect(JSON.stringify(bench.logger.lines)).not.toContain('s3cret');
  });

  test('again when nobody answers, and when headers cannot be read', async () => {
    const closed = await collector((response) => response.end());
    await closed[Symbol.asyncDispose]();
    using bench = push({ url: closed.url });
    await bench.settled(1);
    bench.clock.advance(1_000);
    await bench.settled(2);
    expect(JSON.stringify(bench.logger.lines)).toContain('ECONNREFUSED');

    using wrong = push({ url: closed.url, headers: { kind: 'env', name: 'HEADERS' } }, {}, 's3cret-token');
    await wrong.settled(1);
    expect(wrong.logger.lines[1]?.fields).toMatchObject({ error: expect.stringContaining('"HEADERS", line 1') });
    expect(JSON.stringify(wrong.logger.lines)).not.toContain('s3cret');
  });

  test('by the next request after one that gets no answer within ten seconds', async () => {
    await using server = await collector((response, count) => count > 1 && response.end());
    using bench = push({ url: server.url });
    await expect.poll(() => server.pushes.length, PATIENCE).toBe(1);
    bench.clock.advance(10_000);
    await bench.settled(1);
    bench.clock.advance(1_000);
    await bench.settled(2);
  });
});

describe('the environment of OpenTelemetry', () => {
  test.each([
    ['a collector', { OTEL_EXPORTER_OTLP_ENDPOINT: '/base/' }, '/base/v1/metrics'],
    ['a collector without a path', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, '/v1/metrics'],
    [
      'one for metrics alone, as it is',
      { OTEL_EXPORTER_OTLP_ENDPOINT: '/base', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: '/own?x=1' },
      '/own?x=1',
    ],
  ])('names %s', async (_, paths, expected) => {
    await using server = await collector((response) => response.end());
    const urls = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, `${server.url}${path}`]));
    using bench = push(null, { ...urls, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b, x-tenant = hq ,' });
    await bench.settled(1);
    expect(server.pushes[0]).toMatchObject({ path: expected, headers: { 'api-key': 'a b', 'x-tenant': 'hq' } });
  });

  test('has headers for metrics alone, which come before the others', async () => {
    await using server = await collector((response) => response.end());
    using bench = push(null, {
      OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=general',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'api-key=own',
    });
    await bench.settled(1);
    expect(server.pushes[0]?.headers['api-key']).toBe('own');
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'https://user:s3cret@otel.example.org'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 's3cret'],
  ])('that cannot be used is logged, without a secret: %s', (name, value) => {
    using bench = push(null, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', [name]: value });
    expect(bench.logger.lines).toMatchObject([{ level: 'warn', fields: { error: expect.stringContaining(name) } }]);
    expect(JSON.stringify(bench.logger.lines)).not.toContain('s3cret');
  });
});
