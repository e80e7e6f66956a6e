import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { Http2SecureServer, Http2ServerRequest } from 'node:http2';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';
import { decode, encode } from 'dns-packet';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { listening, type Listening, type Place } from '../../../src/demo/lab/listening.ts';
import { trickle, type Trickle } from '../../../src/demo/lab/trickle.ts';

export type DnsTransport = 'udp' | 'tcp' | 'tls' | 'https';

export interface DnsAsked {
  readonly transport: DnsTransport;
  readonly name: string;
  readonly type: string;
  readonly packet: DecodedPacket;
  /** Address of the client. */
  readonly from: { readonly address: string; readonly port: number };
}

/** The server's reaction. `raw` is sent unchanged, without a length prefix and without checks. */
export type DnsReaction =
  | { readonly kind: 'packet'; readonly packet: Packet }
  | { readonly kind: 'raw'; readonly bytes: readonly Buffer[] }
  | { readonly kind: 'silence' }
  /** One byte of an answer at a time (streams only). */
  | ({ readonly kind: 'trickle' } & Trickle)
  | { readonly kind: 'http'; readonly status: number; readonly type: string; readonly body: Buffer }
  | { readonly kind: 'close' };

export type DnsHandler = (asked: DnsAsked) => DnsReaction;

/** A DNS server on loopback: UDP and TCP on one port, and TLS and HTTPS (HTTP/2 and HTTP/1.1) if it has an identity. */
export interface DnsServer extends AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
  readonly httpsPort: number;
  /** All questions, in order. */
  readonly asked: readonly DnsAsked[];
}

export const SILENCE: DnsReaction = { kind: 'silence' };

/** Returns an answer to `asked`. `rcode` is part of the flags. */
export function reply(
  asked: DnsAsked,
  answers: readonly Answer[],
  more: { readonly rcode?: number; readonly flags?: number } = {},
): DnsReaction {
  return {
    kind: 'packet',
    packet: {
      type: 'response',
      id: asked.packet.id ?? 0,
      flags: 0x0180 | (more.flags ?? 0) | (more.rcode ?? 0),
      questions: asked.packet.questions ?? [],
      answers: [...answers],
    },
  };
}

/**
 * Answers with the records of a name and type, or an empty NOERROR for other types, which is the usual healthy
 * answer.
 */
export function zone(records: Readonly<Record<string, readonly Answer[]>>): DnsHandler {
  return (asked) => {
    const known = records[asked.name.toLowerCase()];
    if (known === undefined) return reply(asked, [], { rcode: 3 });
    return reply(
      asked,
      known.filter(
        (record) =>
          record.type === asked.type || record.type === 'CNAME' || known.some((other) => other.type === 'CNAME'),
      ),
    );
  };
}

/** The place is that of UDP and TCP. */
export interface DnsServerOptions extends Place {
  /** If set, the TLS and HTTPS ports are opened. */
  readonly identity?: Identity;
  /** Sent with the certificate, below the root. */
  readonly issuers?: readonly Identity[];
  /** Protocols of HTTPS. @default both */
  readonly httpProtocols?: readonly ('h2' | 'http/1.1')[];
}

export async function createDnsServer(handler: DnsHandler, options: DnsServerOptions = {}): Promise<DnsServer> {
  const { address = '127.0.0.1', port = 0 } = options;
  const asked: DnsAsked[] = [];
  const react: React = (bytes, transport, from) => {
    const packet = decode(bytes);
    const question = packet.questions?.[0];
    const seen = { transport, name: question?.name ?? '', type: question?.type ?? '', packet, from };
    asked.push(seen);
    return handler(seen);
  };
  const { tcp, udp } = await listenOnBoth({ address, port }, react);
  const encrypted = options.identity === undefined ? null : createEncrypted(options.identity, options, react);
  const tls = encrypted === null ? null : await listening(encrypted.tls, { address });
  const https = encrypted === null ? null : await listening(encrypted.https, { address });
  return {
    port: tcp.port,
    tlsPort: tls?.port ?? 0,
    httpsPort: https?.port ?? 0,
    asked,
    [Symbol.asyncDispose]: async () => {
      udp.close();
      for (const server of [tcp, tls, https]) await server?.close();
    },
  };
}

interface Encrypted {
  readonly tls: Server;
  readonly https: Http2SecureServer | HttpsServer;
}

function createEncrypted(
  identity: Identity,
  { issuers = [], httpProtocols = ['h2', 'http/1.1'] }: DnsServerOptions,
  react: React,
): Encrypted {
  const credentials = { key: identity.keyPem, cert: chainPem(identity, ...issuers) };
  return {
    tls: createTlsServer(credentials, (socket) => {
      serveStream(socket, 'tls', react);
    }),
    // With HTTP/1.1, clients can treat Node's HTTP/2 server differently from a plain HTTPS server.
    https: httpProtocols.includes('h2')
      ? createSecureServer(
          { ...credentials, allowHTTP1: true, ALPNProtocols: [...httpProtocols] },
          (request, response) => {
            void serveHttps(request, response, react);
          },
        )
      : createHttpsServer({ ...credentials, ALPNProtocols: [...httpProtocols] }, (request, response) => {
          void serveHttps(request, response, react);
        }),
  };
}

type Peer = DnsAsked['from'];

type React = (bytes: Buffer, transport: DnsTransport, from: Peer) => DnsReaction;

/** The kernel chooses the TCP port, so another process may already use the UDP port with that number. */
async function listenOnBoth(at: Peer, react: React): Promise<{ tcp: Listening; udp: UdpSocket }> {
  for (;;) {
    const tcp = await listening(
      createTcpServer((socket) => serveStream(socket, 'tcp', react)),
      at,
    );
    const udp = createSocket(at.address.includes(':') ? 'udp6' : 'udp4');
    udp.on('message', (bytes, from) => {
      const reaction = react(bytes, 'udp', from);
      if (reaction.kind === 'packet') udp.send(encode(reaction.packet), from.port, from.address);
      if (reaction.kind === 'raw') for (const raw of reaction.bytes) udp.send(raw, from.port, from.address);
    });
    try {
      const bound = once(udp, 'listening');
      udp.bind(tcp.port, at.address);
      await bound;
      return { tcp, udp };
    } catch (error) {
      udp.close();
      await tcp.close();
      if (at.port !== 0) throw error;
    }
  }
}

function serveStream(socket: Socket, transport: DnsTransport, react: React): void {
  let pending = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      const reaction = react(pending.subarray(2, end), transport, peerOf(socket));
      pending = pending.subarray(end);
      sendOverStream(socket, reaction);
    }
  });
}

function sendOverStream(socket: Socket, reaction: DnsReaction): void {
  switch (reaction.kind) {
    case 'packet': {
      const bytes = encode(reaction.packet);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      socket.write(Buffer.concat([length, bytes]));
      return;
    }
    case 'raw':
      for (const raw of reaction.bytes) socket.write(raw);
      return;
    case 'trickle': {
      socket.write(Buffer.from([0x02, 0x00]));
      trickle(socket, Buffer.from([0]), reaction);
      return;
    }
    case 'close':
      socket.end();
      return;
    case 'silence':
    case 'http':
      return;
  }
}

/** The responses of HTTP/1.1 and HTTP/2 have no common type. */
interface HttpsResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(chunk: Buffer): unknown;
  end(body: Buffer): unknown;
  once(event: 'close', ended: () => void): unknown;
}

async function serveHttps(
  request: Http2ServerRequest | IncomingMessage,
  response: HttpsResponse,
  react: React,
): Promise<void> {
  const reaction = react(await buffer(request), 'https', peerOf(request.socket));
  switch (reaction.kind) {
    case 'packet':
      response.writeHead(200, { 'content-type': 'application/dns-message' });
      response.end(encode(reaction.packet));
      return;
    case 'raw':
      response.writeHead(200, { 'content-type': 'application/dns-message' });
      response.end(Buffer.concat(reaction.bytes));
      return;
    case 'http':
      response.writeHead(reaction.status, { 'content-type': reaction.type });
      response.end(reaction.body);
      return;
    case 'trickle': {
      response.writeHead(200, { 'content-type': 'application/dns-message' });
      trickle(response, Buffer.from([0]), reaction);
      return;
    }
    case 'close':
      request.socket.destroy();
      return;
    case 'silence':
      return;
  }
}

function peerOf(socket: Socket): Peer {
  return { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
}
