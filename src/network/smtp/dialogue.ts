import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { openTls } from '../connect.ts';
import { ProbeError, abortError } from '../failure.ts';
import { ReplyReader } from './reply-reader.ts';

interface Waiting {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: Error) => void;
}

/** Lines to a mail server and its replies, over a connection that may become encrypted. */
export class Dialogue {
  readonly #signal: AbortSignal;
  #socket: Socket;
  #reader = new ReplyReader();
  #waiting: Waiting | null = null;
  /** What has ended the connection. Every one ends, and hardly ever somebody asks: an error takes its stack. */
  #end: (() => Error) | null = null;

  /** @param signal ends the connection */
  constructor(socket: Socket, signal: AbortSignal) {
    this.#signal = signal;
    this.#socket = socket;
    this.#listen();
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The address that the server sees, before any translation on the way; null where there is none any more. */
  localAddress(): string | null {
    return this.#socket.localAddress ?? null;
  }

  say(...lines: readonly string[]): void {
    if (this.#end === null) this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /**
   * The next reply. One that came before the end of the connection is heard after it too.
   * @throws what ended the connection, or the signal's reason
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
   * Shakes hands over the connection. RFC 3207 §4.2: what was said in the clear does not count any more.
   * @throws the handshake's error, or the signal's reason
   */
  async encrypt(tls: ConnectionOptions): Promise<void> {
    const plain = this.#socket.off('data', this.#onData).off('error', this.#onError);
    plain.off('end', this.#onEnd).off('close', this.#onEnd);
    this.#reader = new ReplyReader();
    try {
      this.#socket = await openTls(plain, tls, this.#signal);
    } catch (error) {
      // The peer answers nothing on this connection any more: a QUIT must not wait for its reply.
      this.#close(closed);
      throw error;
    }
    this.#listen();
  }

  close(): void {
    this.#close(closed);
  }

  #listen(): void {
    // A command waits for the reply to the one before: there is nothing to wait for that could go along with it.
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
    // The listener of errors stays: unheard, one that follows would end the process.
    this.#socket.destroy();
  }
}

function closed(): Error {
  return new ProbeError('closed', 'The server closed the connection');
}
