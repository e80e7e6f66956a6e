import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { openTls } from './connect.ts';
import { abortError, ProbeError } from './failure.ts';

const NOTHING = Buffer.alloc(0);

/**
 * A connection that is read by awaiting its bytes. Every read ends: with the bytes, with the error that ended the
 * connection, or with the signal's reason. Bytes that arrived before the connection ended can still be read. What
 * nobody reads stays in the socket's buffer, and if the buffer is full, the peer must wait.
 */
export class Wire {
  readonly #signal: AbortSignal;
  #socket: Socket;
  /** Bytes that were taken from the socket, but that nobody has read. */
  #rest: Buffer = NOTHING;
  /** Created only on demand, because capturing a stack trace is slow. */
  #end: (() => Error) | null = null;
  #wake = (): void => {};

  /** @param signal closes the connection when aborted */
  constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    this.#listen();
  }

  /** Returns the local address, before any address translation, or null after the connection has ended. */
  get localAddress(): string | null {
    return this.#socket.localAddress ?? null;
  }

  write(bytes: string | Uint8Array): void {
    if (this.#end === null) this.#socket.write(bytes);
  }

  /** @throws the error that ended the connection, or the signal's reason */
  async read(length: number): Promise<Buffer> {
    const bytes = await this.readUpTo(length);
    if (bytes.length < length) throw (this.#end ?? closed)();
    return bytes;
  }

  /**
   * Reads a line without its end, with one character per byte.
   * @throws {ProbeError} when the line is longer than `limit`; the error that ended the connection; the signal's reason
   */
  async readLine(limit: number): Promise<string> {
    let line = '';
    for (;;) {
      const bytes = await this.#next();
      const end = bytes.indexOf('\n') + 1;
      line += bytes.toString('latin1', 0, end === 0 ? bytes.length : end);
      if (line.length > limit) throw new ProbeError('protocol', 'The server sent an endless reply');
      if (end === 0) continue;
      this.#rest = bytes.subarray(end);
      return line.slice(0, line.endsWith('\r\n') ? -2 : -1);
    }
  }

  /** Reads until the connection ends or `limit` bytes have arrived. Never rejects. */
  async readUpTo(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    try {
      for (let left = limit; left > 0; left -= chunks.at(-1)?.length ?? 0) chunks.push(await this.#next());
    } catch {
      // Why the connection ended is known to `read`. The bytes that have arrived are used.
    }
    const bytes = Buffer.concat(chunks);
    if (chunks.length > 0) this.#rest = bytes.subarray(limit);
    return bytes.subarray(0, limit);
  }

  /**
   * Performs a TLS handshake over the connection. Discards any data received in clear text (RFC 3207 §4.2).
   * @throws the handshake's error, or the signal's reason
   */
  async encrypt(options: ConnectionOptions): Promise<void> {
    const plain = this.#socket.off('readable', this.#onReadable).off('error', this.#onError);
    plain.off('end', this.#onEnd).off('close', this.#onEnd);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#rest = NOTHING;
    plain.read();
    try {
      this.#socket = await openTls(plain, options, this.#signal);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#listen();
  }

  close(): void {
    this.#finish(closed);
  }

  #listen(): void {
    const socket = this.#socket.on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onEnd);
    socket.on('readable', this.#onReadable);
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal.aborted) this.#onAbort();
    else if (socket.readableEnded || socket.destroyed) this.#onEnd();
  }

  /** Returns bytes that nobody has read, and waits for them if necessary. */
  async #next(): Promise<Buffer> {
    for (;;) {
      const bytes: unknown = this.#rest.length > 0 ? this.#rest : this.#socket.read();
      this.#rest = NOTHING;
      if (Buffer.isBuffer(bytes)) return bytes;
      if (this.#end !== null) throw this.#end();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  readonly #onReadable = (): void => this.#wake();

  readonly #onError = (error: Error): void => this.#finish(() => error);

  readonly #onEnd = (): void => this.#finish(closed);

  readonly #onAbort = (): void => this.#finish(() => abortError(this.#signal));

  #finish(end: () => Error): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#signal.removeEventListener('abort', this.#onAbort);
    // The error listener is not removed, because an unhandled error would terminate the process.
    this.#socket.destroy();
    this.#wake();
  }
}

function closed(): Error {
  return new ProbeError('closed', 'The server closed the connection');
}
