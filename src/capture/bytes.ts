/** The file cannot be read beyond some offset. The message contains the offset and what was expected there. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}

/**
 * Reads numbers and parts sequentially from bytes with untrusted lengths. Never throws: past the end it returns zeros
 * and empty parts, and `isCut` is true from then on.
 */
export class Cursor {
  isCut = false;
  readonly isLittle: boolean;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, isLittle = false) {
    this.#bytes = bytes;
    this.isLittle = isLittle;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Reads a number of `length` bytes. */
  number(length: 1 | 2 | 3 | 4): number {
    const start = this.#at;
    this.skip(length);
    if (this.#at - start < length) return 0;
    return this.isLittle ? this.#bytes.readUIntLE(start, length) : this.#bytes.readUIntBE(start, length);
  }

  skip(length: number): void {
    this.isCut ||= length > this.left;
    this.#at += Math.min(length, this.left);
  }

  take(length: number): Buffer {
    const start = this.#at;
    this.skip(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Reads a part that is preceded by its length in `lengthBytes` bytes. */
  part(lengthBytes: 1 | 2 | 3): Cursor {
    return new Cursor(this.take(this.number(lengthBytes)), this.isLittle);
  }

  /** Reads the rest as entries with two-byte types and lengths. Values are padded to multiples of `unit` bytes. */
  entries(unit: 1 | 4): ReadonlyMap<number, Buffer> {
    const found = new Map<number, Buffer>();
    while (this.left >= 4) {
      const [type, length] = [this.number(2), this.number(2)];
      found.set(type, this.take(length));
      this.skip(-length & (unit - 1));
    }
    return found;
  }
}

/** A file that is read once. */
export class FileBytes {
  /** Offset of the next byte. */
  offset = 0;
  readonly #pieces: AsyncIterator<Uint8Array>;
  /** Bytes that were read but not consumed. */
  #held: Buffer = Buffer.alloc(0);

  constructor(file: AsyncIterable<Uint8Array>) {
    this.#pieces = file[Symbol.asyncIterator]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return?.();
  }

  /** Returns the next bytes without consuming them. Returns fewer bytes only at the end of the file. */
  async peek(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      const next = await this.#pieces.next();
      if (next.done === true) break;
      this.#held = Buffer.concat([this.#held, next.value]);
    }
    return this.#held.subarray(0, length);
  }

  async isAtEnd(): Promise<boolean> {
    return (await this.peek(1)).length === 0;
  }

  /** @throws {CaptureError} if the file has fewer bytes */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.peek(length);
    if (bytes.length < length)
      throw new CaptureError(`the file ends in the middle of a packet, at offset ${String(this.offset)}`);
    this.#held = this.#held.subarray(length);
    this.offset += length;
    return bytes;
  }

  /** Returns everything that is left, in chunks. */
  async *rest(): AsyncGenerator<Buffer> {
    while (!(await this.isAtEnd())) yield await this.take(this.#held.length);
  }
}
