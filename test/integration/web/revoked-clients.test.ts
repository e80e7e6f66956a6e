import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureVersion, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { revocationList } from '../../support/certificates/revoked.ts';
import { loginOf, startWeb, tlsFiles, type WebBench } from '../../support/web/web-bench.ts';
import { leastCpuMsOf } from '../../support/process/cpu-time.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

/** Within this time, a client that is no longer trusted is disconnected, even if it sends nothing. */
const WITHIN = 5_000;
const OPS = loginOf('read').headers.Authorization;

const folder = folderOfEachTest();
let clock: HandClock;
let web: WebBench;

const authority = await createIdentity({ name: 'CN=clients', authority: true });
const other = await createIdentity({ name: 'CN=other clients', authority: true });
const client = await createIdentity({ name: 'CN=prometheus', issuer: authority });
const server = await createIdentity({ name: 'CN=monitor', dnsNames: ['monitor.example.org'] });

beforeEach(async () => {
  clock = handClock(START);
  put('clients.crl', await revocationList(authority, []));
  web = await startWeb({
    config: {
      tls: { ...tlsFiles(folder, [server], authority.pem), clientCrlFile: folder.at('clients.crl') },
      certificates: [{ name: 'prometheus', role: 'read' }],
    },
    users: ['read'],
    clock,
  });
});
afterEach(() => web[Symbol.asyncDispose]());

function put(name: string, text: string): void {
  writeFileSync(folder.at(name), text);
}

interface Options {
  readonly version?: SecureVersion;
  readonly session?: Buffer;
  /** If set, the client does not present a certificate. */
  readonly anonymous?: true;
  /** A connection on which TLS has not started. */
  readonly socket?: Socket;
}

interface Connection extends Disposable {
  readonly socket: TLSSocket;
  readonly closed: Promise<unknown>;
  /** Returns the status of the response on this connection; null: the connection was closed instead. */
  get(path: string, authorization?: string): Promise<number | null>;
  readonly session: Buffer | null;
}

async function open(more: Options = {}): Promise<Connection> {
  const socket = connect({
    port: web.port,
    host: '127.0.0.1',
    ca: server.pem,
    servername: 'monitor.example.org',
    ...(more.anonymous === true ? {} : { cert: client.pem, key: client.keyPem }),
    ...(more.version === undefined ? {} : { minVersion: more.version, maxVersion: more.version }),
    ...(more.session === undefined ? {} : { session: more.session }),
    ...(more.socket === undefined ? {} : { socket: more.socket }),
  });
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  let session: Buffer | null = null;
  socket.on('session', (ticket: Buffer) => {
    session = ticket;
  });
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'secureConnect'), closed]);
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  return {
    socket,
    closed,
    get session() {
      return session;
    },
    async get(path, authorization) {
      received = '';
      const login = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${login}\r\n`);
      while (!/^HTTP\/1\.1 \d{3}[^]*\r\n\r\n/u.test(received) && !socket.destroyed)
        await Promise.race([once(socket, 'data'), closed]);
      const status = /^HTTP\/1\.1 (\d{3})/u.exec(received)?.[1];
      return status === undefined ? null : Number(status);
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

describe.each<[string, () => Promise<void> | void]>([
  ['its authority is not trusted any more', () => put('clients.pem', other.pem)],
  ['it was revoked', async () => put('clients.crl', await revocationList(authority, [client]))],
])('a client whose certificate was right, once %s,', (_, withdraw) => {
  test('gets nothing more on a connection that it has kept', async () => {
    using kept = await open();
    expect(await kept.get('/api/v1/audit')).toBe(200);
    await withdraw();
    expect(await kept.get('/api/v1/audit')).toBeNull();
  });

  test('loses its idle connections, and nobody else does', async () => {
    using idle = await open();
    using people = await open({ anonymous: true });
    expect(await idle.get('/')).toBe(200);
    expect(await people.get('/', OPS)).toBe(200);
    await withdraw();
    clock.advance(WITHIN);
    await idle.closed;
    expect(people.socket.destroyed).toBe(false);
  });

  test('is not let in again, at once', async () => {
    using kept = await open();
    expect(await kept.get('/')).toBe(200);
    await withdraw();
    // The first connection detects the revocation. Neither gets access.
    using first = await open();
    expect(await first.get('/')).toBeNull();
    using second = await open();
    expect(await second.get('/')).toBe(401);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is not let in by a session of %s that it resumes', async (version) => {
    using kept = await open({ version });
    expect(await kept.get('/')).toBe(200);
    await expect.poll(() => kept.session).not.toBeNull();
    const { session } = kept;
    if (session === null) throw new Error('A session was to be given');
    using resumed = await open({ version, session });
    expect([resumed.socket.isSessionReused(), await resumed.get('/')]).toEqual([true, 200]);
    await withdraw();
    clock.advance(WITHIN);
    await Promise.all([kept.closed, resumed.closed]);
    using again = await open({ version, session });
    // OpenSSL may close the connection, with an error that it saved from the certificate check.
    expect([null, 401]).toContain(await again.get('/'));
  });

  // Listeners of network/tls/served-certificate.ts: on connection, once close, on secureConnection
  test('is not let in by a handshake that it began before', async () => {
    const begun = connectPlain(web.port, '127.0.0.1');
    begun.on('error', () => undefined);
    await once(begun, 'connect');
    // This response shows that the server has accepted the earlier connection.
    using between = await open();
    expect(await between.get('/')).toBe(200);
    await withdraw();
    expect(await between.get('/')).toBeNull();
    using late = await open({ socket: begun });
    expect(await late.get('/')).toBeNull();
  });
});

test('a list or an authority that cannot be used leaves that of before in place', async () => {
  using kept = await open();
  expect(await kept.get('/')).toBe(200);
  put('clients.pem', 'nonsense');
  expect(await kept.get('/')).toBe(200);
  rmSync(folder.at('clients.crl'));
  expect(await kept.get('/')).toBe(200);
});

test('parses a long revocation list once, not for each request', async () => {
  const serials = Array.from({ length: 2_000 }, (_, index) => (index + 0x1000_0000).toString(16));
  put('clients.crl', await revocationList(authority, [], serials));
  await web.files.certificate?.refresh();
  const [ca, crl] = [authority.pem, readFileSync(folder.at('clients.crl'), 'utf8')];
  const parsing = await leastCpuMsOf(async () => {
    for (let index = 0; index < 8; index += 1) createSecureContext({ ca, crl });
    await Promise.resolve();
  });
  const refreshing = await leastCpuMsOf(async () => {
    for (let index = 0; index < 8; index += 1) await web.files.certificate?.refresh();
  });
  expect(refreshing).toBeLessThan(parsing / 2);
});
