import { createServer as createHttpsServer, type Server } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Millis } from '../../src/core/clock.ts';
import { credentialsOf, type Identity } from '../../src/demo/lab/identity.ts';
import { type Listening, listening } from '../../src/demo/lab/listening.ts';
import { randomOf } from '../support/random/random-of.ts';
import type { Conductor } from './conductor.ts';

/**
 * How a connection is treated on the path: it passes, the port is closed, it is reset at the ClientHello, half of the
 * connections are (one of two firewall members is faulty), or it is accepted and then silent.
 */
export type Way = 'open' | 'refused' | 'reset' | 'half-reset' | 'silent';

/** A host on the internet with several addresses, and the firewall in front of it. */
export class Gate implements AsyncDisposable {
  /** Replaces the certificate for each name. */
  identity: ((name: string) => Identity) | null = null;
  status: number;
  /** Delay of an answer. */
  delay: Millis = 0;
  /** A web page that replaces the answer. */
  page: string | null = null;
  readonly #host: string;
  readonly #conductor: Conductor;
  readonly #web: Server;
  readonly #ways = new Map<string, Way>();
  readonly #servers = new Map<string, Listening>();
  readonly #random = randomOf(1);

  /** @param status HTTP status if the host is healthy */
  constructor(host: string, own: (name: string) => Identity, status: number, conductor: Conductor) {
    this.#host = host;
    this.#conductor = conductor;
    this.status = status;
    // It does not listen. Connections are handed to it.
    this.#web = createHttpsServer({
      SNICallback: (name, done) => {
        done(null, createSecureContext(credentialsOf((this.identity ?? own)(name))));
      },
      ...credentialsOf(own(host)),
    });
    this.#web.on('tlsClientError', () => undefined);
    this.#web.on('request', (_request, response) => {
      const { status: code, page } = this;
      // The answer contains the time of day, so it is written after the product has reported its time.
      conductor.hold(this.delay, () => {
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

  /** Sets the treatment of connections to some of its addresses. Existing connections are cut. */
  async set(way: Way, addresses: readonly string[] = [...this.#ways.keys()]): Promise<void> {
    for (const address of addresses) {
      this.#ways.set(address, way);
      const silence = `${this.#host} ${address}`;
      if (way === 'silent') this.#conductor.silences.add(silence);
      else this.#conductor.silences.delete(silence);
      await this.#servers.get(address)?.close();
      this.#servers.delete(address);
      if (way !== 'refused') this.#servers.set(address, await this.#listen(address));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server.close();
  }

  #listen(address: string): Promise<Listening> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#pass(socket, this.#ways.get(address) ?? 'open');
    });
    return listening(server, { address, port: 443 });
  }

  #pass(socket: Socket, way: Way): void {
    if (way === 'silent') socket.resume();
    else if (way === 'reset' || (way === 'half-reset' && this.#random() < 0.5))
      socket.once('data', () => socket.resetAndDestroy());
    else this.#web.emit('connection', socket);
  }
}
