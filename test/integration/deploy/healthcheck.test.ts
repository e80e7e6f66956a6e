import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { freePort } from '../../support/network/free-port.ts';

/** Runs the health check as the image does. Returns its exit code and output. */
function ask(url: string): Promise<readonly [code: number, said: string]> {
  return new Promise((resolve) => {
    const env = { ...process.env, FTM_WATCH_HEALTH_URL: url };
    const child = execFile(process.execPath, ['deploy/image/healthcheck.ts'], { env }, (_, __, stderr) => {
      resolve([child.exitCode ?? -1, stderr]);
    });
  });
}

async function portOf(server: Server): Promise<string> {
  const { port, close } = await listening(server);
  onTestFinished(close);
  return String(port);
}

describe('the health check of the image', () => {
  it('passes when the page answers, over TLS too', async () => {
    const asked: (string | undefined)[] = [];
    const plain = await portOf(
      createServer(({ url, headers }, response) => {
        asked.push(url, headers.host);
        response.end('Healthy\n');
      }),
    );
    expect(await ask(`http://127.0.0.1:${plain}/-/healthy`)).toEqual([0, '']);
    expect(asked).toEqual(['/-/healthy', `127.0.0.1:${plain}`]);
    const { pem: cert, keyPem: key } = await createIdentity({ name: 'CN=site', dnsNames: ['site.example.org'] });
    const secure = await portOf(createTlsServer({ cert, key }, (_, response) => void response.end('Healthy\n')));
    expect(await ask(`https://127.0.0.1:${secure}/-/healthy`)).toEqual([0, '']);
  });

  it('fails when nobody listens, and says so', async () => {
    const url = `http://127.0.0.1:${String(await freePort())}/-/healthy`;
    expect(await ask(url)).toEqual([1, `Cannot ask "${url}": connect ECONNREFUSED ${new URL(url).host}\n`]);
  });

  it('fails on another status, and on none', async () => {
    const busy = await portOf(createServer((_, response) => void response.writeHead(503).end()));
    const [code, said] = await ask(`http://127.0.0.1:${busy}/`);
    expect([code, said]).toEqual([1, expect.stringContaining('expected the status 200, got "HTTP/1.1 503 Service')]);
    const silent = await portOf(createServer(({ socket }) => void socket.end()));
    expect(await ask(`http://127.0.0.1:${silent}/`)).toEqual([1, expect.stringContaining('got ""')]);
  });

  it('does not wait for ever', async () => {
    const slow = await portOf(createServer());
    expect(await ask(`http://127.0.0.1:${slow}/`)).toEqual([1, expect.stringContaining('no answer within 4 s')]);
  });
});
