import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { dial, startWeb } from '../../support/web/web-bench.ts';
import { leastCpuMsOf } from '../../support/process/cpu-time.ts';

/** About 1 MB, as for 200 targets. */
const METRICS = Array.from(
  { length: 10_000 },
  (_, index) => `ftm_probe_success{probe="tcp",target="host-${String(index)}.test:443"} ${String(index % 2)}\n`,
).join('');

async function startWithMetrics(): ReturnType<typeof startWeb> {
  return startWeb({ state: { metrics: () => Promise.resolve(METRICS) } });
}

/** Returns the response as it was sent, because `fetch` decompresses it. */
async function exchange(
  port: number,
  path: string,
  accepted: string,
  method = 'GET',
): Promise<readonly [string, Buffer]> {
  using client = await dial(port);
  client.socket.setEncoding('latin1');
  client.socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Encoding: ${accepted}\r\n\r\n`,
  );
  await client.closed;
  const end = client.received.indexOf('\r\n\r\n');
  return [client.received.slice(0, end).toLowerCase(), Buffer.from(client.received.slice(end + 4), 'latin1')];
}

test.each(['gzip', 'gzip;q=0.5, identity;q=0.1', 'br, GZIP', '*'])(
  '/metrics is packed, of known length, for a client that takes "%s"',
  async (accepted) => {
    await using web = await startWithMetrics();
    const [head, body] = await exchange(web.port, '/metrics', accepted);
    expect(head).toContain('\r\ncontent-encoding: gzip');
    expect(head).toContain('\r\nvary: accept-encoding');
    expect(head).toContain(`\r\ncontent-length: ${String(body.length)}`);
    expect(head).toContain('\r\ncontent-type: text/plain; version=0.0.4');
    expect(gunzipSync(body).equals(Buffer.from(METRICS))).toBe(true);
    expect(body.length).toBeLessThan(METRICS.length / 8);
  },
);

test.each(['identity', 'gzip;q=0', 'br', 'gzip;q=0, *'])('is plain for one that takes "%s"', async (accepted) => {
  await using web = await startWithMetrics();
  const [head, body] = await exchange(web.port, '/metrics', accepted);
  expect(head).not.toContain('content-encoding');
  expect(head).toContain('\r\nvary: accept-encoding');
  expect(body.equals(Buffer.from(METRICS))).toBe(true);
});

test('page, API and files are packed too, what fits into one packet and what has no body are not', async () => {
  await using web = await startWithMetrics();
  for (const path of ['/', '/api/v1/history', '/static/uplot.js'])
    expect([path, (await web.get(path)).headers.get('Content-Encoding')]).toEqual([
      path,
      path === '/api/v1/history' ? null : 'gzip',
    ]);
  expect((await web.get('/-/healthy')).headers.get('Content-Encoding')).toBeNull();
  const [head, body] = await exchange(web.port, '/metrics', 'gzip', 'HEAD');
  expect(head).not.toContain('content-encoding');
  expect(body).toHaveLength(0);
});

test('a file that a client has packed is not sent again', async () => {
  await using web = await startWithMetrics();
  const etag = (await web.get('/static/uplot.js')).headers.get('ETag') ?? '';
  expect(etag).toMatch(/^W\/"/u);
  expect(await web.status('/static/uplot.js', { headers: { 'If-None-Match': etag } })).toBe(304);
});

test('packing holds nobody else up', async () => {
  const text = Array.from({ length: 100_000 }, (_, index) => `${String(Math.sin(index))}\n`).join('');
  await using web = await startWeb({ state: { metrics: () => Promise.resolve(text) } });
  const request = async (accepted: string): Promise<void> => {
    const sent = get({ port: web.port, path: '/metrics', headers: { 'Accept-Encoding': accepted } });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
  };
  const packing = await leastCpuMsOf(() => Promise.resolve(gzipSync(text, { level: 4 })));
  const [plain, packed] = [await leastCpuMsOf(() => request('identity')), await leastCpuMsOf(() => request('gzip'))];
  expect(packed - plain).toBeLessThan(packing / 2);
});
