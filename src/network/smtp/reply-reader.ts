import { isUtf8 } from 'node:buffer';
import { ProbeError } from '../failure.ts';

/** A reply is a few lines; one that goes on is an attack on memory. Of all that was not read yet. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** RFC 5321 §4.2.1: more lines of the same reply follow. */
const CONTINUED = /^\d+-/u;

const NON_ASCII = /\P{ASCII}/u;

/** Bytes of a mail server to its replies (RFC 5321 §4.2), however they were cut into packets. */
export class ReplyReader {
  /** The line that has not ended, one character a byte. */
  #rest = '';
  /** Lines of the reply that has not ended. */
  #lines: string[] = [];
  #replies: string[] = [];
  #unread = 0;

  /** @throws {ProbeError} when more than 64 KiB wait to be read */
  push(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    this.#unread += text.length;
    if (this.#unread > MAX_UNREAD_BYTES)
      throw new ProbeError('protocol', `Expected an SMTP reply, got more than ${String(MAX_UNREAD_BYTES)} bytes`);
    // Without this, each byte of a line that never ends would cost a look at all of it.
    if (!text.includes('\n')) {
      this.#rest += text;
      return;
    }
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#add(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  /** The next whole reply, its lines joined by line feeds; null before it is there. */
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

/** RFC 5321 names no charset: UTF-8 where it is that, else a character a byte. */
function decoded(latin1: string): string {
  if (!NON_ASCII.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}
