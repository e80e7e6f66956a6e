import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listening } from '../../../src/demo/lab/listening.ts';
import { createWaitingAnswers } from '../../../src/web/http-server.ts';
import { dial, type RawClient, startWeb } from '../../support/web/web-bench.ts';

type WaitingLimits = Parameters<typeof createWaitingAnswers>[0];

const MEBIBYTE = 1024 * 1024;
const LIMITS: WaitingLimits = { requests: 2, unreadBytes: 40 * MEBIBYTE, unread: 60_000 };
/** More than the kernel buffers for a client that does not read. */
const LARGE = Buffer.alloc(16 * MEBIBYTE, 'x');

interface Server {
  readonly port: number;
  /** The number of requests that were let through. */
  readonly begun: () => number;
}

/** Answers every request with `LARGE` after `hold` has resolved. */
async function serve(limits: Partial<WaitingLimits>, hold: Promise<unknown> = Promise.resolve()): Promise<Server> {
  const waiting = createWaitingAnswers({ ...LIMITS, ...limits });
  let begun = 0;
  const server = createServer((request, response) => {
    if (!waiting.begin(request, response)) return;
    begun += 1;
    void hold.then(() => {
      response.end(LARGE);
      waiting.written(response);
    });
  });
  const { port, close } = await listening(server);
  onTestFinished(close);
  return { port, begun: () => begun };
}

async function ask(port: number, times = 1): Promise<RawClient> {
  const client = await dial(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(times));
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

async function askAndNeverRead(port: number): Promise<RawClient> {
  const client = await ask(port);
  client.socket.pause();
  await setTimeout(50);
  return client;
}

/**
 * Reads most of one response gradually within `time` milliseconds. The pace is even because the kernel reports the
 * space that a reader frees only occasionally, once there is enough.
 */
async function readEvenly(client: RawClient, time: number): Promise<void> {
  const started = performance.now();
  let share = 0;
  while (share < 0.9) {
    share = Math.min(0.9, (performance.now() - started) / time);
    client.socket.resume();
    while (client.received.length < share * LARGE.length) await once(client.socket, 'data');
    client.socket.pause();
    await setTimeout(20);
  }
}

/** Reads what is available, and reports whether it was all of the response. */
async function readRest(client: RawClient, answers = 1): Promise<boolean> {
  client.socket.resume();
  const whole = new Promise<true>((resolve) => {
    client.socket.on('data', () => {
      if (client.received.length > answers * LARGE.length) resolve(true);
    });
  });
  return Promise.race([whole, client.closed.then(() => false)]);
}

describe('what clients make the server hold', () => {
  test('is a few requests of a connection: who sends more before the answers is cut off', async () => {
    const held = Promise.withResolvers<null>();
    const { port, begun } = await serve({}, held.promise);
    const [modest, greedy] = await Promise.all([ask(port, 2), ask(port, 500)]);
    await greedy.closed;
    held.resolve(null);
    expect(await readRest(modest, 2)).toBe(true);
    expect(begun()).toBe(4);
    // Places become free when the responses have been read.
    modest.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2));
    await expect.poll(begun).toBe(6);
  });

  test('is so many unread bytes of all: who has waited longest goes, others are served', async () => {
    const { port } = await serve({});
    const sleepers = [];
    for (let index = 0; index < 5; index += 1) sleepers.push(await askAndNeverRead(port));
    expect(await readRest(await ask(port))).toBe(true);
    const served = [];
    for (const sleeper of sleepers) served.push(await readRest(sleeper));
    // 40 MiB hold two responses: that of the last client, and that of the client that reads.
    expect(served).toEqual([false, false, false, false, true]);
  });

  test('may be one answer that is larger than that', async () => {
    const { port } = await serve({ unreadBytes: MEBIBYTE });
    const sleeper = await askAndNeverRead(port);
    expect(await readRest(sleeper)).toBe(true);
  });

  test('is let go when nobody reads it, and not while somebody does, however slowly', async () => {
    const { port } = await serve({ unread: 1_500 });
    const [sleeper, slow] = await Promise.all([askAndNeverRead(port), askAndNeverRead(port)]);
    await readEvenly(slow, 4_000);
    expect(await readRest(slow)).toBe(true);
    expect(await readRest(sleeper)).toBe(false);
  });
});

test('the metrics are handed to a crowd that never reads one by one, so that the bound holds', async () => {
  const rendered = Promise.withResolvers<string>();
  await using web = await startWeb({ state: { metrics: () => rendered.promise } });
  const clients = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = await dial(web.port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
      client.socket.pause();
      return client;
    }),
  );
  await setTimeout(100);
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers + process.memoryUsage().external - before);
  }, 1);
  rendered.resolve(`${'x'.repeat(79)}\n`.repeat(110_000));
  expect((await web.text('/metrics')).length).toBe(8_800_000);
  clearInterval(looking);
  for (const client of clients) client.socket.destroy();
  // Memory is counted twice, including what has not been garbage-collected yet. All responses together would be 1,760
  // MB.
  expect(most).toBeLessThan(700 * MEBIBYTE);
});
