import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

import type { Millis } from '../../src/core/clock.ts';
import { credentialsOf } from '../../src/demo/lab/identity.ts';
import type { Identity } from '../../src/demo/lab/identity.ts';
import type { Conductor } from './conductor.ts';
import { Chance } from './random.ts';

/** How a connection to a host is treated on the path. */
export type Way =
  | { readonly kind: 'open' }
  /** The port is closed. */
  | { readonly kind: 'refused' }
  /** The connection is reset at the ClientHello. */
  | { readonly kind: 'reset' }
  /**
   * Half of the connections are reset at the ClientHello and the others pass: one of two firewall members is faulty.
   */
  | { readonly kind: 'half-reset' }
  /** Accepted, then silent. */
  | { readonly kind: 'silent' };

/** How the host itself responds. */
export interface Manners {
  status: number;
  /** Delay of an answer. */
  delay: Millis;
  /** A web page that replaces the answer. */
  page: string | null;
}

/** A host on the internet with several addresses, and the firewall in front of it. */
export class Gate implements AsyncDisposable {
  readonly manners: Manners;
  readonly #host: string;
  readonly #conductor: Conductor;
  readonly #web: HttpsServer;
  readonly #ways = new Map<string, Way>();
  readonly #servers = new Map<string, Server>();
  readonly #contexts = new Map<Identity, SecureContext>();
  readonly #sockets = new Set<Socket>();
  readonly #flows = new Chance(1);
  #identity: (name: string) => Identity;

  /** @param status HTTP status if the host is healthy */
  constructor(host: string, own: Identity, status: number, conductor: Conductor) {
    this.#host = host;
    this.#conductor = conductor;
    this.manners = { status, delay: 0, page: null };
    this.#identity = () => own;
    // It does not listen. Connections are handed to it.
    this.#web = createHttpsServer({
      SNICallback: (name, done) => {
        done(null, this.#contextOf(this.#identity(name)));
      },
      ...credentialsOf(own),
    });
    this.#web.on('tlsClientError', () => undefined);
    this.#web.on('request', (_request, response) => {
      const { status: code, delay, page } = this.manners;
      // The answer contains the time of day, so it is written after the product has reported its time.
      conductor.hold(delay, () => {
        response.sendDate = false;
        response.writeHead(code, {
          date: new Date(conductor.now()).toUTCString(),
          connection: 'close',
          ...(page === null ? {} : { 'content-type': 'text/html' }),
        });
        response.end(page ?? '');
      });
    });
  }

  /** Sets the certificate for each name. */
  show(identity: (name: string) => Identity): void {
    this.#identity = identity;
  }

  /** Sets the treatment of connections to some of its addresses. */
  async set(way: Way, addresses: readonly string[] = [...this.#ways.keys()]): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const address of addresses) {
      this.#ways.set(address, way);
      if (way.kind === 'refused') await this.#close(address);
      else await this.#open(address);
      const silence = `${this.#host} ${address}`;
      if (way.kind === 'silent') this.#conductor.silences.add(silence);
      else this.#conductor.silences.delete(silence);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const address of this.#ways.keys()) await this.#close(address);
  }

  async #open(address: string): Promise<void> {
    if (this.#servers.has(address)) return;
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
      this.#pass(socket, this.#ways.get(address) ?? { kind: 'open' });
    });
    server.listen(443, address);
    await once(server, 'listening');
    this.#servers.set(address, server);
  }

  async #close(address: string): Promise<void> {
    const server = this.#servers.get(address);
    if (server === undefined) return;
    this.#servers.delete(address);
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  #pass(socket: Socket, way: Way): void {
    switch (way.kind) {
      case 'open':
        this.#web.emit('connection', socket);
        return;
      case 'reset':
        socket.once('data', () => socket.resetAndDestroy());
        return;
      case 'half-reset':
        this.#pass(socket, { kind: this.#flows.share() < 0.5 ? 'reset' : 'open' });
        return;
      case 'silent':
        socket.resume();
        return;
      case 'refused':
        socket.destroy();
    }
  }

  #contextOf(identity: Identity): SecureContext {
    const context = this.#contexts.get(identity) ?? createSecureContext(credentialsOf(identity));
    this.#contexts.set(identity, context);
    return context;
  }
}
