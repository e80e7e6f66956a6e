/**
 * A program with all servers that are probed, in a separate process so that their cost is not counted. It answers the
 * first message with their addresses and ports, and each further message with the number of handshakes.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { answerTo } from './dns-answer.ts';
import { serveSmtp } from './serve-smtp.ts';

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** The first message. */
export interface TargetSettings {
  readonly rsa: Credentials;
  readonly ecdsa: Credentials;
  /** Credentials of the control hosts. */
  readonly controls: readonly Credentials[];
  /** Addresses of the licence server, on loopback. */
  readonly addresses: readonly string[];
}

/** The answer to the first message. */
export interface TargetPorts {
  readonly dns: number;
  readonly tcp: number;
  readonly rsa: number;
  readonly ecdsa: number;
  readonly controls: readonly number[];
  readonly mail: number;
}

export interface HandshakeCounts {
  readonly full: number;
  readonly resumed: number;
}

/** Go's default if both sides support it. The product offers it first. */
const CURVE = 'X25519';

let counts: HandshakeCounts = { full: 0, resumed: 0 };

function count(socket: TLSSocket): void {
  counts = socket.isSessionReused() ? { ...counts, resumed: counts.resumed + 1 } : { ...counts, full: counts.full + 1 };
}

async function listen(server: Server, { port, address } = { port: 0, address: '127.0.0.1' }): Promise<number> {
  server.listen(port, address);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function serveHttps(credentials: Credentials, status: string, at?: Parameters<typeof listen>[1]): Promise<number> {
  const server = createTlsServer({ ...credentials, ecdhCurve: CURVE }, (socket) => {
    count(socket);
    socket.on('error', () => undefined);
    socket.once('data', (request: Buffer) => {
      // There is no Date header, because it would be wrong for a daemon whose time jumps.
      const body = request.toString('latin1', 0, 4) === 'HEAD' ? '' : 'Nothing here\n';
      socket.end(
        `HTTP/1.1 ${status}\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n` +
          `Connection: close\r\n\r\n${body}`,
      );
    });
  });
  // A client that leaves before the last handshake message has arrived is not an error of the server.
  server.on('tlsClientError', () => undefined);
  return listen(server, at);
}

/** Listens on the same port at all addresses. */
async function serveLicenses(credentials: Credentials, addresses: readonly string[]): Promise<number> {
  let port = 0;
  for (const address of addresses) port = await serveHttps(credentials, '404 Not Found', { port, address });
  return port;
}

function serveTcp(): Promise<number> {
  return listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
}

/** Listens on the same port at all addresses. */
async function serveDns(addresses: readonly string[]): Promise<number> {
  const known = new Map([[LICENSE_HOST, addresses]]);
  let at = 0;
  for (const own of addresses) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.on('message', (query, { port, address }) => {
      socket.send(answerTo(query, known), port, address);
    });
    socket.bind(at, own);
    await once(socket, 'listening');
    at = socket.address().port;
  }
  return at;
}

function serveMail(credentials: Credentials): Promise<number> {
  const secureContext = createSecureContext({ ...credentials, ecdhCurve: CURVE });
  return listen(
    createTcpServer((socket) => {
      serveSmtp(socket, secureContext, count);
    }),
  );
}

process.once('message', (settings: TargetSettings) => {
  void (async () => {
    const { rsa, ecdsa, controls, addresses } = settings;
    const ports: TargetPorts = {
      dns: await serveDns(addresses),
      tcp: await serveTcp(),
      rsa: await serveHttps(rsa, '404 Not Found'),
      ecdsa: await serveLicenses(ecdsa, addresses),
      controls: await Promise.all(controls.map((control) => serveHttps(control, '200 OK'))),
      mail: await serveMail(ecdsa),
    };
    process.on('message', () => process.send?.(counts));
    process.send?.(ports);
  })();
});
process.once('disconnect', () => process.exit());
