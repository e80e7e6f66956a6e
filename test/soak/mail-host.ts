import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Millis } from '../../src/core/clock.ts';
import { credentialsOf, type Identity } from '../../src/demo/lab/identity.ts';
import { type Listening, listening } from '../../src/demo/lab/listening.ts';
import { MAIL_LOGIN } from '../../src/demo/lab/site.ts';
import type { Conductor } from './conductor.ts';
import type { SeenMail } from './judge.ts';

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

/** A mail server without the deliberate pauses of real servers, because time stands still meanwhile. */
export class MailHost implements AsyncDisposable {
  readonly received: SeenMail[] = [];
  /** If set, STARTTLS and AUTH are offered. */
  identity: Identity | null;
  /** Replaces the usual replies, by command: `AUTH`, `RCPT`, `MAIL`. */
  readonly replies: Map<string, string> = new Map();
  /** Delay of the greeting. */
  delay: Millis = 0;
  readonly #place: { readonly address: string; readonly port: number };
  readonly #conductor: Conductor;
  #server: Listening | null = null;

  constructor(
    place: { readonly address: string; readonly port: number },
    identity: Identity | null,
    conductor: Conductor,
  ) {
    this.#place = place;
    this.identity = identity;
    this.#conductor = conductor;
  }

  async open(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      const greet = (): void => {
        socket.write('220 mail ESMTP\r\n');
        this.#serve(socket, false);
      };
      if (this.delay > 0) this.#conductor.hold(this.delay, greet);
      else greet();
    });
    this.#server = await listening(server, this.#place);
  }

  async close(): Promise<void> {
    await this.#server?.close();
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
            this.received.push(readMail(this.#conductor.elapsed(), text));
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
    const secureContext = createSecureContext(credentialsOf(identity));
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    secured.on('error', () => socket.destroy());
    this.#serve(secured, true);
  }

  #reply(verb: string, line: string, secure: boolean): string {
    if (verb === 'EHLO')
      return this.identity === null ? '250 mail' : `250-mail\r\n${secure ? '' : '250-STARTTLS\r\n'}250 AUTH PLAIN`;
    if (verb !== 'AUTH') return USUAL[verb] ?? '502 5.5.1 unknown';
    const { user, password } = MAIL_LOGIN;
    const isRight = line.endsWith(Buffer.from(`\0${user}\0${password}`).toString('base64'));
    return isRight ? '235 2.7.0 welcome' : '535 5.7.8 authentication failed';
  }
}

/** Reads a notification from the header of a mail. */
function readMail(at: Millis, raw: string): SeenMail {
  const [head = ''] = raw.split('\r\n\r\n');
  const header = (name: string): string =>
    new RegExp(`^${name}: (.*)$`, 'imu').exec(head.replaceAll(/\r\n[ \t]+/gu, ' '))?.[1] ?? '';
  return {
    at,
    event: header('X-FTM-Watch-Event'),
    causes: header('X-FTM-Watch-Cause')
      .split(', ')
      .filter((cause) => cause !== ''),
    subject: header('Subject'),
    isIntermittent: raw.replaceAll('=\r\n', '').includes('It is intermittent'),
  };
}
