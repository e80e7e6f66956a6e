import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';

import type { Millis } from '../../src/core/clock.ts';
import type { Identity } from '../../src/demo/lab/identity.ts';
import type { Conductor } from './conductor.ts';

const OK = '250 2.0.0 ok';
const USUAL: Readonly<Record<string, string>> = {
  DATA: '354 go on',
  QUIT: '221 2.0.0 bye',
  MAIL: OK,
  RCPT: OK,
  RSET: OK,
  HELO: OK,
  NOOP: OK,
};

export interface MailHostOptions {
  readonly address: string;
  readonly port: number;
  /** If set, STARTTLS is offered. */
  readonly identity: Identity | null;
  readonly login: { readonly user: string; readonly password: string } | null;
}

/** A mail server without the deliberate pauses of real servers, because time stands still meanwhile. */
export class MailHost implements AsyncDisposable {
  readonly received: { readonly at: Millis; readonly text: string }[] = [];
  identity: Identity | null;
  /** Replaces the usual replies, by command: `AUTH`, `RCPT`, `MAIL`. */
  readonly replies: Map<string, string> = new Map();
  /** Delay of the greeting. */
  delay: Millis = 0;
  readonly #options: MailHostOptions;
  readonly #conductor: Conductor;
  readonly #contexts = new Map<Identity, SecureContext>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(options: MailHostOptions, conductor: Conductor) {
    this.#options = options;
    this.identity = options.identity;
    this.#conductor = conductor;
  }

  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
      const greet = (): void => {
        socket.write('220 mail ESMTP\r\n');
        this.#serve(socket, false);
      };
      if (this.delay > 0) this.#conductor.hold(this.delay, greet);
      else greet();
    });
    server.listen(this.#options.port, this.#options.address);
    await once(server, 'listening');
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #serve(socket: Socket, secure: boolean): void {
    let pending = '';
    let mail: string | null = null;
    const read = (chunk: Buffer): void => {
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf('\r\n'); end !== -1; end = pending.indexOf('\r\n')) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 2);
        if (mail !== null) {
          if (line !== '.') {
            mail += `${line}\r\n`;
            continue;
          }
          const text = mail;
          mail = null;
          // Recorded after the product has reported its time.
          this.#conductor.hold(0, () => {
            this.received.push({ at: this.#conductor.elapsed(), text });
            socket.write('250 2.0.0 accepted\r\n');
          });
        } else if (this.#command(socket, line, secure)) {
          socket.off('data', read);
          return;
        } else if (line.toUpperCase() === 'DATA') mail = '';
      }
    };
    socket.on('data', read);
  }

  /** Resolves with whether TLS has taken over. */
  #command(socket: Socket, line: string, secure: boolean): boolean {
    const verb = line.split(' ', 1)[0]?.toUpperCase() ?? '';
    const instead = this.replies.get(verb);
    if (instead !== undefined) {
      socket.write(`${instead}\r\n`);
      return false;
    }
    if (verb === 'STARTTLS' && this.identity !== null) {
      socket.write('220 2.0.0 ready\r\n');
      this.#secure(socket, this.identity);
      return true;
    }
    socket.write(`${this.#reply(verb, line, secure)}\r\n`);
    if (verb === 'QUIT') socket.end();
    return false;
  }

  #secure(socket: Socket, identity: Identity): void {
    const secureContext =
      this.#contexts.get(identity) ?? createSecureContext({ cert: identity.pem, key: identity.keyPem });
    this.#contexts.set(identity, secureContext);
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    secured.on('error', () => socket.destroy());
    this.#serve(secured, true);
  }

  #reply(verb: string, line: string, secure: boolean): string {
    if (verb === 'EHLO') return this.#offers(secure);
    if (verb !== 'AUTH') return USUAL[verb] ?? '502 5.5.1 unknown';
    const { user = '', password = '' } = this.#options.login ?? {};
    const isRight = line.endsWith(Buffer.from(`\0${user}\0${password}`).toString('base64'));
    return isRight ? '235 2.7.0 welcome' : '535 5.7.8 authentication failed';
  }

  #offers(secure: boolean): string {
    const offers = [
      'mail',
      ...(this.identity !== null && !secure ? ['STARTTLS'] : []),
      ...(this.#options.login === null ? [] : ['AUTH PLAIN']),
    ];
    return offers.map((offer, index) => `250${index === offers.length - 1 ? ' ' : '-'}${offer}`).join('\r\n');
  }
}
