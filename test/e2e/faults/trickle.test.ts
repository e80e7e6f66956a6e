import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { expect, test } from 'vitest';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { credentialsOf } from '../../../src/demo/lab/identity.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';

const WITHIN = 40_000;
const END_WITHIN = 6_000;
/** README: how long a round takes when nothing responds. */
const ROUND_LIMIT_MS = 14_500;

interface Trickler extends AsyncDisposable {
  readonly port: number;
}

/** Sends one byte per second of an endless response, to every client. */
async function trickler(
  say: (socket: Socket) => void,
  tls: { readonly cert: string; readonly key: string } | null = null,
): Promise<Trickler> {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    say(socket);
    const timer = setInterval(() => socket.write('x'), 1_000);
    socket.once('close', () => {
      clearInterval(timer);
      sockets.delete(socket);
    });
  };
  const server = tls === null ? createServer(serve) : createTls(tls, serve).on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The head of a 16 KiB ServerHello. The rest is sent slowly. */
const HELLO = Buffer.from([0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0x00, 0x3f, 0xfc]);

test('peers that send one byte a second for ever bound no round, and are told as what they are', async () => {
  await using lab = await createLab();
  const { authorities, appliance } = lab;
  const identity = credentialsOf(authorities.other);
  await using hello = await trickler((socket) => socket.write(HELLO));
  await using head = await trickler((socket) => socket.write('HTTP/1.1 200 OK\r\nX-Long: '), identity);
  await using body = await trickler(
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n'),
    identity,
  );
  await using greeting = await trickler((socket) => socket.write('220-'));
  await using api = await trickler(
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"objects":['),
    {
      cert: appliance.identity.pem,
      key: appliance.identity.keyPem,
    },
  );
  const at = (port: number): object => ({ host: '127.0.0.1', port });
  const settings = JSON.parse(readFileSync(lab.configFile, 'utf8')) as {
    readonly licenseServer: object;
    readonly appliances: readonly [{ readonly api: object }];
  };
  const file = join(lab.folder, 'trickle.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      ...settings,
      licenseServer: { ...settings.licenseServer, ...at(hello.port) },
      services: [
        { name: 'head', ...at(head.port) },
        { name: 'body', ...at(body.port) },
      ],
      mail: [{ ...at(greeting.port), security: 'none', from: 'a@example.org', to: 'b@example.org' }],
      appliances: [
        {
          ...settings.appliances[0],
          api: { ...settings.appliances[0].api, url: `https://127.0.0.1:${String(api.port)}` },
        },
      ],
      clock: { ntp: [`127.0.0.1:${String(greeting.port)}`] },
    }),
  );
  await using daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', file] });
  await using rounds = await watchRounds(await daemon.page());
  const startedAt = performance.now();
  const { causes } = await rounds.next(
    ({ causes: found }) => found.some(({ id }) => id === 'appliance-unreadable'),
    WITHIN,
  );
  const seen = rounds.diagnoses.length;
  const seconds = (performance.now() - startedAt) / 1000;
  expect(causes.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['appliance-unreadable', 'mail-unreachable', 'tls-blocked']),
  );
  // Each round ends by its own time limit, and then the next one starts.
  expect(seen).toBeGreaterThanOrEqual(Math.floor((seconds * 1000) / (ROUND_LIMIT_MS + 3_000)));
  const { code, stderr, tookMs } = await daemon.end('SIGTERM');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(tookMs).toBeLessThan(END_WITHIN);
});
