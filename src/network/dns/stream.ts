import type { Socket } from 'node:net';
import { ProbeError, abortError } from '../failure.ts';
import { readReply, type BelievableReading, type DnsQuery } from './message.ts';

const LENGTH_BYTES = 2;

/** Frames that answer something else; a server that sends more than these answers nothing. */
const MAX_FOREIGN = 4;

/**
 * Asks over a connected TCP or TLS socket (RFC 1035 §4.2.2, RFC 7858 §3.3) and destroys it afterwards. A peer that
 * trickles bytes is ended by the signal; a frame cannot be larger than 65,535 bytes.
 */
export function exchangeStream(socket: Socket, query: DnsQuery, signal: AbortSignal): Promise<BelievableReading> {
  return new Promise((resolve, reject) => {
    const frames = new Frames();
    let foreign = 0;

    function finish(): void {
      signal.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail);
      socket.destroy();
    }
    function fail(error: Error): void {
      finish();
      reject(error);
    }
    function onAbort(): void {
      fail(abortError(signal));
    }
    function onEnd(): void {
      fail(new ProbeError('closed', 'The server closed the connection without an answer'));
    }
    function onData(chunk: Buffer): void {
      frames.push(chunk);
      for (let frame = frames.shift(); frame !== null; frame = frames.shift()) {
        const reading = readReply(frame, query);
        if (reading.kind === 'truncated')
          return fail(new ProbeError('protocol', 'The answer is marked as truncated although TCP has room'));
        if (reading.kind !== 'foreign') {
          finish();
          return resolve(reading);
        }
        foreign += 1;
        if (foreign >= MAX_FOREIGN)
          return fail(new ProbeError('protocol', `The server did not answer the question: ${reading.why}`));
      }
    }

    if (signal.aborted) return onAbort();
    if (socket.destroyed) return onEnd();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', fail);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(query.bytes.length);
    // One segment: RFC 7766 §8, some servers cannot cope with the length alone.
    socket.write(Buffer.concat([length, query.bytes]));
  });
}

/** Length-prefixed messages out of a byte stream. */
class Frames {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }

  shift(): Buffer | null {
    if (this.#pending.length < LENGTH_BYTES) return null;
    const end = LENGTH_BYTES + this.#pending.readUInt16BE(0);
    if (this.#pending.length < end) return null;
    const frame = this.#pending.subarray(LENGTH_BYTES, end);
    this.#pending = this.#pending.subarray(end);
    return frame;
  }
}
