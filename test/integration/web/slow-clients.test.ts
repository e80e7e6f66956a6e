import { setInterval } from 'node:timers';
import { describe, expect, test } from 'vitest';
import { dial, startWeb } from '../../support/web/web-bench.ts';

/** A client that sends a byte at a time and never finishes. */
async function trickle(port: number, start: string, bytes: string): Promise<string> {
  using client = await dial(port, start);
  const timer = setInterval(() => client.socket.write(bytes), 200);
  await client.closed;
  clearInterval(timer);
  return client.received;
}

/** Ten seconds for a request, and the time until the next check. */
const LONGEST = { timeout: 40_000 };

describe('a client that trickles its request', LONGEST, () => {
  test.concurrent('is cut off while it sends headers', async () => {
    await using web = await startWeb();
    expect(await trickle(web.port, 'GET / HTTP/1.1\r\nHost: localhost\r\n', 'X-A: b\r\n')).toContain('HTTP/1.1 408');
  });

  test.concurrent('is answered before its body, and cut off while it sends that', async () => {
    await using web = await startWeb({ config: { localReload: true } });
    const head = 'POST /-/reload HTTP/1.1\r\nHost: localhost\r\n';
    const [chunked, sized] = await Promise.all([
      trickle(web.port, `${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
      trickle(web.port, `${head}Content-Length: 1000\r\n\r\n`, 'x'),
    ]);
    expect(chunked).toContain('HTTP/1.1 411');
    expect(sized).toContain('HTTP/1.1 200');
  });

  test.concurrent('does not keep others from the page', async () => {
    await using web = await startWeb();
    const slow = await Promise.all(Array.from({ length: 100 }, () => dial(web.port, 'GET / HTTP/1.1\r\n')));
    expect(await web.status('/')).toBe(200);
    for (const client of slow) client.socket.destroy();
  });
});

describe('connections that ask for nothing', () => {
  test.concurrent.each([
    { name: 'silent ones', bytes: '' },
    { name: 'some that wait for the next request', bytes: 'GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n' },
  ])('make room when all places are taken: $name', async ({ bytes }) => {
    await using web = await startWeb();
    const idle = await Promise.all(Array.from({ length: 300 }, () => dial(web.port, bytes)));
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => web.get('/-/healthy', { headers: { Connection: 'close' } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    for (const client of idle) client.socket.destroy();
  });
});
