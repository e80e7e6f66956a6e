import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { isUtf8 } from 'node:buffer';
import { openTls } from '../connect.ts';
import { ProbeError, abortError } from '../failure.ts';

/** Maximum size of unread data from a mail server. The limit prevents an endless reply from exhausting memory. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Beginning of an SMTP reply line that is followed by more lines of the same reply (RFC 5321 §4.2.1). */
const CONTINUED = /^\d+-/u;

const NON_ASCII = /\P{ASCII}/u;

/** Parses bytes from a mail server into replies (RFC 5321 §4.2). Replies can be split across packets. */
export class ReplyReader {
  /** The last line, if it is incomplete, with one character per byte. */
  #rest = '';
  #lines: string[] = [];
  #replies: string[] = [];
  #unread = 0;

  /** @throws {ProbeError} when more than 64 KiB are unread */
  push(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    this.#unread += text.length;
    if (this.#unread > MAX_UNREAD_BYTES)
      throw new ProbeError('protocol', `Expected an SMTP reply, got more than ${String(MAX_UNREAD_BYTES)} bytes`);
    // This branch avoids scanning the whole line again for each received chunk of a long line.
    if (!text.includes('\n')) {
      this.#rest += text;
      return;
    }
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#add(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  /** Returns the next complete reply with its lines joined by line feeds; null if no reply is complete. */
  take(): string | null {
    const reply = this.#replies.shift() ?? null;
    if (this.#replies.length === 0) this.#unread = this.#rest.length + lengthOf(this.#lines);
    return reply;
  }

  #add(line: string): void {
    if (this.#lines.length === 0 && line.trim() === '') return;
    this.#lines.push(line);
    if (CONTINUED.test(line)) return;
    this.#replies.push(decoded(this.#lines.join('\n')));
    this.#lines = [];
  }
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, { length }) => sum + length + 1, 0);
}

/** RFC 5321 does not specify a character set, so text that is not valid UTF-8 keeps one character per byte. */
function decoded(latin1: string): string {
  if (!NON_ASCII.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

interface Waiting {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: Error) => void;
}

export class Dialogue {
  readonly #signal: AbortSignal;
  #socket: Socket;
  #reader = new ReplyReader();
  #waiting: Waiting | null = null;
  /** Created only on demand, because capturing a stack trace is slow. */
  #end: (() => Error) | null = null;

  /** @param signal closes the connection when aborted */
  constructor(socket: Socket, signal: AbortSignal) {
    this.#signal = signal;
    this.#socket = socket;
    this.#listen();
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Returns the local address, before any address translation; null after the connection has ended. */
  localAddress(): string | null {
    return this.#socket.localAddress ?? null;
  }

  say(...lines: readonly string[]): void {
    if (this.#end === null) this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /**
   * A reply that was received before the connection ended is still returned.
   * @throws the error that ended the connection, or the signal's reason
   */
  reply(): Promise<string> {
    const said = this.#reader.take();
    if (said !== null) return Promise.resolve(said);
    if (this.#end !== null) return Promise.reject(this.#end());
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /**
   * Performs a TLS handshake over the connection. Discards all data that was received in clear text (RFC 3207 §4.2).
   * @throws the handshake's error, or the signal's reason
   */
  async encrypt(tls: ConnectionOptions): Promise<void> {
    const plain = this.#socket.off('data', this.#onData).off('error', this.#onError);
    plain.off('end', this.#onEnd).off('close', this.#onEnd);
    this.#reader = new ReplyReader();
    try {
      this.#socket = await openTls(plain, tls, this.#signal);
    } catch (error) {
      // The server no longer replies on this connection, so QUIT must not wait for a reply.
      this.#close(closed);
      throw error;
    }
    this.#listen();
  }

  close(): void {
    this.#close(closed);
  }

  #listen(): void {
    // Nagle's algorithm is disabled, because each command waits for the previous reply.
    this.#socket.setNoDelay(true).on('data', this.#onData).on('error', this.#onError);
    this.#socket.on('end', this.#onEnd).on('close', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#onError(error instanceof Error ? error : new ProbeError('protocol', 'Cannot read the reply'));
      return;
    }
    const waiting = this.#waiting;
    const reply = waiting === null ? null : this.#reader.take();
    if (reply === null) return;
    this.#waiting = null;
    waiting?.resolve(reply);
  };

  readonly #onError = (error: Error): void => this.#close(() => error);

  readonly #onEnd = (): void => this.#close(closed);

  readonly #onAbort = (): void => this.#close(() => abortError(this.#signal));

  #close(end: () => Error): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#waiting?.reject(end());
    this.#waiting = null;
    // The error listener is not removed, because an unhandled error would terminate the process.
    this.#socket.destroy();
  }
}

function closed(): Error {
  return new ProbeError('closed', 'The server closed the connection');
}

export class SmtpError extends ProbeError {
  readonly code: number;

  constructor({ text, code }: SmtpReply) {
    super('rejected', `The server replied "${text}"`);
    this.code = code;
  }
}

export interface SmtpReply {
  /** The complete reply, including the codes. Lines are separated by line feeds. */
  readonly text: string;
  readonly code: number;
}

const REPLY_CODE = /^\d{3}(?=[ -]|$)/u;

/** @throws {ProbeError} when the text has no reply code */
export function parseReply(text: string): SmtpReply {
  const [code] = REPLY_CODE.exec(text.split('\n', 1)[0] ?? '') ?? [];
  if (code === undefined) throw new ProbeError('protocol', `The server replied "${text}", expected an SMTP reply`);
  return { text, code: Number(code) };
}

/** @throws {SmtpError} when the reply code is not between 200 and 299 */
export function requirePositive(reply: SmtpReply): void {
  if (!isPositive(reply)) throw new SmtpError(reply);
}

export function isPositive({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300;
}
