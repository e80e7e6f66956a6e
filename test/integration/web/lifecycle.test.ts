import { rmSync, writeFileSync } from 'node:fs';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { type PageServer, servePage } from '../../../src/web/http-server.ts';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { dial, getOverTls, startWeb, tlsFiles, webConfig } from '../../support/web/web-bench.ts';
import { sourcesOf, webState } from '../../support/web/web-sources.ts';

const folder = folderOfEachTest();
const serve = (config: Partial<WebConfig> = {}): Promise<PageServer> =>
  servePage(
    webConfig(config),
    { identify: null, certificate: null },
    { sources: sourcesOf(webState()), clock: systemClock, logger: pino({ level: 'silent' }) },
  );

describe('servePage()', () => {
  test('says what to do when the port is taken', async () => {
    await using web = await startWeb();
    await expect(serve({ listen: { address: '127.0.0.1', port: web.port } })).rejects.toThrow(
      /"127\.0\.0\.1:\d+": .*web\.listen/u,
    );
  });

  test('says what to do when the address is not of this machine', async () => {
    await expect(serve({ listen: { address: '192.0.2.1', port: 0 } })).rejects.toThrow(
      'this machine does not have this address',
    );
  });

  test('stops twice', async () => {
    const server = await serve();
    await server.stop();
    await server.stop();
    await expect(dial(server.address.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('frees the port, and closes connections that wait', async () => {
    const web = await startWeb();
    using idle = await dial(web.port, 'GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await idle.until('Healthy');
    await web.server.stop();
    await idle.closed;
    await expect(dial(web.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('lets a running request finish', async () => {
    const metrics = Promise.withResolvers<string>();
    const asked = Promise.withResolvers<undefined>();
    const web = await startWeb({
      // The clock does not advance, so the server waits for the end of the request.
      clock: handClock(0),
      state: {
        metrics() {
          asked.resolve(undefined);
          return metrics.promise;
        },
      },
    });
    const response = web.get('/metrics');
    await asked.promise;

    const stopped = web.server.stop();
    metrics.resolve('late 1\n');

    await expect((await response).text()).resolves.toBe('late 1\n');
    await stopped;
  });

  test('does not wait for a request that never ends', async () => {
    const asked = Promise.withResolvers<undefined>();
    const web = await startWeb({
      clock: idleClock(),
      state: {
        metrics() {
          asked.resolve(undefined);
          return new Promise(() => {});
        },
      },
    });
    using client = await dial(web.port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await asked.promise;

    await web.server.stop();

    await client.closed;
    expect(client.received).toBe('');
  });
});

describe('servePage() over TLS', () => {
  test('serves with the configured certificate while connections without a handshake take all places', async () => {
    const { root, intermediate, leaf } = await createHierarchy({ dnsNames: ['monitor.example.test'] });
    await using web = await startWeb({ config: { tls: tlsFiles(folder, [leaf, intermediate]) } });
    const silent = await Promise.all(Array.from({ length: 300 }, () => dial(web.port)));
    const { status, headers } = await getOverTls(web.port, root.pem, 'monitor.example.test');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'cross-origin-opener-policy': 'same-origin' });
    expect(headers).not.toHaveProperty('strict-transport-security');
    for (const client of silent) client.socket.destroy();
  });

  test.each([
    ['a key of another certificate', ({ keyPem }: Identity) => keyPem, 'it does not belong to the certificate in'],
    ['a file that is no key', () => 'hello', 'without a passphrase'],
    ['a file that is missing', () => null, 'ENOENT'],
  ])('does not start with %s', async (_, keyOf, message) => {
    const tls = tlsFiles(folder, [await createIdentity({ name: 'CN=a' })]);
    const key = keyOf(await createIdentity({ name: 'CN=b' }));
    if (key === null) rmSync(tls.keyFile);
    else writeFileSync(tls.keyFile, key);
    await expect(startWeb({ config: { tls } })).rejects.toThrow(message);
  });
});
