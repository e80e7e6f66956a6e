import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { dial, startWeb, type WebBench } from '../../support/web/web-bench.ts';

/** A request within another's body. A server that disagrees with the proxy about the end of that body runs it. */
const SMUGGLED = 'POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n';

/** Returns everything received after sending these bytes, until the server closes, or pauses after an answer. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (part: string) => {
    received += part;
    socket.setTimeout(300);
  });
  socket.once('timeout', () => socket.destroy());
  socket.write(bytes);
  await new Promise((resolve) => void socket.once('close', resolve));
  return received;
}

/** Starts a server without login, so that a smuggled reload would be carried out. */
function open(): Promise<WebBench> {
  return startWeb({ config: { localReload: true } });
}

function statuses(received: string): readonly number[] {
  return [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gmu)].map(([, status]) => Number(status));
}

function head(lines: readonly string[], path = '/-/reload'): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

describe('a request whose end can be read in two ways', () => {
  test.concurrent.each([
    [
      'both lengths',
      `${head([`Content-Length: ${String(SMUGGLED.length + 5)}`, 'Transfer-Encoding: chunked'])}0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'both lengths, the other way round',
      `${head(['Transfer-Encoding: chunked', 'Content-Length: 4'])}0\r\n\r\n${SMUGGLED}`,
    ],
    ['two lengths', `${head(['Content-Length: 0', `Content-Length: ${String(SMUGGLED.length)}`])}${SMUGGLED}`],
    ['a list of lengths', `${head([`Content-Length: 0, ${String(SMUGGLED.length)}`])}${SMUGGLED}`],
    ['a signed length', `${head(['Content-Length: +0'])}${SMUGGLED}`],
    ['a hexadecimal length', `${head(['Content-Length: 0x0'])}${SMUGGLED}`],
    ['a blank before the colon', `${head(['Transfer-Encoding : chunked'])}0\r\n\r\n${SMUGGLED}`],
    ['an unknown coding', `${head(['Transfer-Encoding: xchunked'])}0\r\n\r\n${SMUGGLED}`],
    ['chunked twice', `${head(['Transfer-Encoding: chunked, chunked'])}0\r\n\r\n${SMUGGLED}`],
    ['chunked not last', `${head(['Transfer-Encoding: chunked, identity'])}0\r\n\r\n${SMUGGLED}`],
    ['a folded field', `${head(['X-A: b', ' Transfer-Encoding: chunked', 'Content-Length: 5'])}0\r\n\r\n${SMUGGLED}`],
    ['a tab in front of the field', `${head(['\tTransfer-Encoding: chunked'])}0\r\n\r\n${SMUGGLED}`],
    ['bare line feeds', `POST /nothing HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n\n${SMUGGLED}`],
    [
      'a bare carriage return',
      `POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ['a NUL in a field', `${head(['X-A: \0', 'Content-Length: 0'], '/nothing')}${SMUGGLED}`],
    ['a chunk size that overflows', `${head(['Transfer-Encoding: chunked'])}10000000000000000\r\n${SMUGGLED}`],
    [
      'a line break in a chunk extension',
      `${head(['Transfer-Encoding: chunked'], '/nothing')}0;a=\nb\r\n\r\n${SMUGGLED}`,
    ],
  ])('%s: never carries out the second one', async (_, bytes) => {
    await using web = await open();
    const received = await exchange(web.port, bytes);
    // A request that was read completely may be carried out, but not the request in its body.
    expect(statuses(received)).toEqual([expect.toBeOneOf([400, 411])]);
    expect(web.state.reloads).toBe(0);
  });

  test('GET with a body: the body is no request', async () => {
    await using web = await open();
    const received = await exchange(
      web.port,
      `GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${String(SMUGGLED.length)}\r\n\r\n${SMUGGLED}`,
    );
    expect(statuses(received)).toEqual([200]);
    expect(web.state.reloads).toBe(0);
  });
});

describe('a way out of the folder of static files', () => {
  test.concurrent.each([
    '/static/../../package.json',
    '/static/../../../../../../etc/passwd',
    '/static/%2e%2e/%2e%2e/package.json',
    '/static/%2e%2e%2f%2e%2e%2fpackage.json',
    '/static/%252e%252e%252fpackage.json',
    '/static/..%5c..%5cpackage.json',
    '/static/..\\..\\package.json',
    '/static/..%c0%af..%c0%afpackage.json',
    '/static/%00',
    '/static/style.css%00.js',
    '/static/%ff%fe',
    '/static/file:///etc/passwd',
    '//etc/passwd',
    '/static//etc/passwd',
    '/static/./server.ts',
    '/static/constructor',
    '/static/__proto__',
    'http://127.0.0.1/static/../package.json',
    '*',
    '/%',
  ])('%s leads nowhere', async (path) => {
    await using web = await open();
    const received = await exchange(web.port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    expect(statuses(received)).toHaveLength(1);
    expect([400, 404]).toContain(statuses(received)[0]);
    expect(received).not.toMatch(/root:|"dependencies"/u);
  });
});

describe('a request in disguise', () => {
  test.each([
    [
      'an override in a field',
      'GET /-/reload HTTP/1.1\r\nX-HTTP-Method-Override: POST\r\nX-Method-Override: POST\r\nX-HTTP-Method: POST',
      405,
    ],
    ['an override in the query', 'GET /-/reload?_method=POST HTTP/1.1', 405],
    ['another path in a field', 'GET / HTTP/1.1\r\nX-Original-URL: /-/reload\r\nX-Rewrite-URL: /-/reload', 200],
    ['lower case', 'post /-/reload HTTP/1.1', 400],
    ['TRACE', 'TRACE / HTTP/1.1', 405],
    [
      'an upgrade to HTTP/2',
      'GET /-/healthy HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n' +
        'HTTP2-Settings: AAMAAABkAAQAAP__',
      200,
    ],
    [
      'an upgrade to WebSocket',
      'GET /-/healthy HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n' +
        'Sec-WebSocket-Version: 13',
      200,
    ],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0', 400],
    ['another protocol', 'EHLO example.org', 400],
  ])('%s: is what it is', async (_, request, status) => {
    await using web = await open();
    const received = await exchange(web.port, `${request}\r\nHost: 127.0.0.1\r\n\r\n`);
    expect(statuses(received)).toEqual([status]);
    expect(web.state.reloads).toBe(0);
  });

  test('CONNECT opens no tunnel', async () => {
    await using web = await open();
    const received = await exchange(
      web.port,
      'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n',
    );
    expect(statuses(received).filter((status) => status < 400)).toEqual([]);
  });
});

describe('a request that is too much', () => {
  test.each([
    ['a long URL', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`],
    ['a long query', `GET /probe?target=${'x'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`],
    ['a long field', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['many fields', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${'a:b\r\n'.repeat(20_000)}\r\n`],
    [
      'a long name and password',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic ${'YTph'.repeat(25_000)}\r\n\r\n`,
    ],
  ])('%s is refused', async (_, bytes) => {
    await using web = await open();
    // A client that is reset while it is still sending may not be able to read the reason.
    expect([[], [431]]).toContainEqual(statuses(await exchange(web.port, bytes)));
    expect(await stillServes(web)).toBe(true);
  });

  test('a large body is not waited for', async () => {
    await using web = await open();
    using client = await dial(
      web.port,
      'POST /api/v1/silences HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
        'Content-Length: 1000000000\r\n\r\n',
    );
    expect(await client.until('413')).toContain('HTTP/1.1 413');
  });

  test('a few requests in one piece are answered in order', async () => {
    await using web = await open();
    const received = await exchange(web.port, ['healthy', 'ready', 'nothing', 'healthy'].map(getOf).join(''));
    expect(statuses(received)).toEqual([200, 200, 404, 200]);
  });

  test('thousands of requests in one piece, from clients that never read: the connection is closed', async () => {
    let rendered = 0;
    const metrics = (): Promise<string> => {
      rendered += 1;
      return Promise.resolve('x'.repeat(1024 * 1024));
    };
    await using web = await startWeb({ state: { metrics } });
    const clients = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = await dial(web.port);
        client.socket.pause();
        client.socket.write('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(1_400));
        return client;
      }),
    );

    expect(await stillServes(web)).toBe(true);
    // A paused client does not detect that the connection is closed.
    for (const { socket } of clients) socket.resume();
    await Promise.all(clients.map(({ closed }) => closed));
    expect(rendered).toBeLessThanOrEqual(5 * 4);
  });
});

function getOf(name: string): string {
  return `GET /-/${name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
}

async function stillServes(web: WebBench): Promise<boolean> {
  return (await web.status('/-/healthy')) === 200;
}
