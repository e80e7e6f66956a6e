import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { Millis } from '../../core/clock.ts';
import { ProbeError, abortError } from '../failure.ts';
import { SmtpError, fromNodemailer } from './smtp-error.ts';
import { createTranscript, type Transcript } from './transcript.ts';

/** A reply is a few lines; one that goes on is an attack on memory. */
const MAX_REPLY_BYTES = 64 * 1024;

/** Name of the "login mechanism" whose handler rehearses the envelope. It never goes over the line. */
const ENVELOPE = 'X-FTM-WATCH-ENVELOPE';

/** Only a net below the caller's deadline. */
const NODEMAILER_TIMEOUT: Millis = 60_000;

/** RFC 5321 §4.2. */
const REPLY_CODE = /^\d{3}(?=[ -]|$)/u;

/** No argument of MAIL or RCPT may end the command or its path. */
const UNSAFE = /[\p{Cc}\s<>]/u;
const NON_ASCII = /\P{ASCII}/u;

export interface SessionOptions {
  /** Already connected; with security `tls`, already encrypted. */
  readonly socket: Socket;
  readonly host: string;
  readonly security: 'starttls' | 'tls' | 'none';
  /** For STARTTLS. */
  readonly tls: ConnectionOptions;
}

interface Envelope {
  readonly extensions: readonly string[];
  /** Resolves with the server's reply, whatever its code. */
  readonly send: (command: string) => Promise<{ readonly response: string }>;
}

/**
 * One SMTP session that cannot send a message: it has no way to say DATA. nodemailer's `send` says DATA by itself,
 * pipelined in one packet with the recipients where the server allows, so it is never called; MAIL, RCPT and RSET go
 * through `sendCommand` of nodemailer's public hook for login mechanisms of your own.
 *
 * Every step throws an `SmtpError` or the signal's reason.
 */
export class MailSession {
  readonly transcript: Transcript = createTranscript();
  readonly #connection: SMTPConnection;
  readonly #signal: AbortSignal;
  #takeEnvelope: (envelope: Envelope) => void = () => {};
  #envelope: Envelope | null = null;

  constructor({ socket, host, security, tls }: SessionOptions, signal: AbortSignal) {
    this.#signal = signal;
    this.#connection = new SMTPConnection({
      connection: socket,
      host,
      secure: security === 'tls',
      secured: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      tls,
      logger: this.transcript.logger,
      transactionLog: true,
      maxResponseSize: MAX_REPLY_BYTES,
      connectionTimeout: NODEMAILER_TIMEOUT,
      greetingTimeout: NODEMAILER_TIMEOUT,
      socketTimeout: NODEMAILER_TIMEOUT,
      socketCloseTimeout: 0,
      customAuth: {
        [ENVELOPE]: (context) => {
          this.#takeEnvelope({ extensions: context.extensions, send: (command) => context.sendCommand(command) });
        },
      },
    });
    // What is reported after a step has ended is of no interest, and unheard it would end the process.
    this.#connection.on('error', () => {});
  }

  /** Greeting, EHLO and STARTTLS. */
  greet(): Promise<void> {
    return this.#step(() => called((done) => this.#connection.connect(done)), this.#signal);
  }

  /** Whether a STARTTLS handshake is under way. */
  get upgrading(): boolean {
    return this.#connection.upgrading === true;
  }

  login(user: string, pass: string): Promise<void> {
    return this.#step(
      () => called((done) => this.#connection.login({ credentials: { user, pass } }, done)),
      this.#signal,
    );
  }

  async mailFrom(address: string): Promise<void> {
    await this.#command('MAIL FROM', address);
  }

  async rcptTo(address: string): Promise<void> {
    await this.#command('RCPT TO', address);
  }

  /** Takes the envelope back and says goodbye; a server that is slow to answer is not waited for beyond the signal. */
  async leave(signal: AbortSignal): Promise<void> {
    const envelope = this.#envelope;
    try {
      if (envelope !== null) await this.#step(() => envelope.send('RSET'), signal);
      await this.#step(() => called((done) => this.#connection.once('end', done).quit()), signal);
    } catch {
      // The observation is complete; how the server takes leave changes nothing.
    }
  }

  close(): void {
    this.#connection.close();
  }

  async #command(verb: 'MAIL FROM' | 'RCPT TO', address: string): Promise<void> {
    if (UNSAFE.test(address))
      throw new ProbeError('internal', `Cannot say ${verb}: expected a mail address, got "${address}"`);
    const envelope = (this.#envelope ??= await this.#step(() => this.#openEnvelope(), this.#signal));
    const utf8 =
      verb === 'MAIL FROM' && NON_ASCII.test(address) && envelope.extensions.includes('SMTPUTF8') ? ' SMTPUTF8' : '';
    const reply = await this.#step(() => envelope.send(`${verb}:<${address}>${utf8}`), this.#signal);
    // Read here: nodemailer's own `status` is 0 for every reply of several lines.
    const code = REPLY_CODE.exec(reply.response)?.[0];
    if (code === undefined)
      throw new ProbeError('protocol', `The server answered "${reply.response}", expected an SMTP reply`);
    if (!code.startsWith('2')) throw new SmtpError(reply.response, Number(code));
  }

  #openEnvelope(): Promise<Envelope> {
    return new Promise((resolve, reject) => {
      this.#takeEnvelope = resolve;
      // Called back only when the handler could not be started: the handler itself never ends its "login".
      this.#connection.login({ method: ENVELOPE }, (error) =>
        reject(error ?? new ProbeError('internal', 'The envelope was not opened')),
      );
    });
  }

  /** Runs one step of nodemailer's until it calls back, the connection fails or ends, or the signal is aborted. */
  #step<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const connection = this.#connection;
    return new Promise((resolve, reject) => {
      function release(): void {
        signal.removeEventListener('abort', onAbort);
        connection.off('error', onError);
        connection.off('end', onEnd);
      }
      function onError(error: unknown): void {
        release();
        reject(fromNodemailer(error));
      }
      function onEnd(): void {
        // A reply that ends the session (421) is handed over just before the end: let it be heard first.
        setImmediate(onError, new ProbeError('closed', 'The server closed the connection'));
      }
      function onAbort(): void {
        release();
        connection.close();
        reject(abortError(signal));
      }
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      connection.on('error', onError);
      connection.on('end', onEnd);
      if (connection.destroyed) {
        onEnd();
        return;
      }
      work().then((value) => {
        release();
        resolve(value);
      }, onError);
    });
  }
}

/** Waits for a callback whose first argument, where there is one, is an error. */
function called(start: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
