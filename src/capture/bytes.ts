/** The message contains the offset and the expected data. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}

/** Never throws. Past the end of the input, it returns zeros and empty blocks and sets `isCut`. */
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

  /** Reads a block whose length is stored in the preceding `lengthBytes` bytes. */
  part(lengthBytes: 1 | 2 | 3): Cursor {
    return new Cursor(this.take(this.number(lengthBytes)), this.isLittle);
  }

  /** Reads entries with a two-byte type and a two-byte length. Values are padded to a multiple of `unit` bytes. */
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
