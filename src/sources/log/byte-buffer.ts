/** Bytes that wait for the rest of their line. Grows as needed, up to a limit; what does not fit is refused. */
export interface ByteBuffer {
  length(): number;
  /** Memory that it takes while something is in it. */
  room(): number;
  /** Takes as much of `bytes[from, to)` as fits; returns how much that was. */
  append(bytes: Uint8Array, from: number, to: number): number;
  /** What was collected: a view that the next append may overwrite. */
  view(): Buffer;
  clear(): void;
}

const SMALLEST = 512;

/** @param limit the most bytes it will hold */
export function createByteBuffer(limit: number): ByteBuffer {
  let bytes = Buffer.alloc(0);
  let length = 0;

  function reserve(wanted: number): void {
    if (wanted <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(SMALLEST, wanted, bytes.length * 2)));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  }

  return {
    length: () => length,
    room: () => (length === 0 ? 0 : bytes.length),
    append: (source, from, to) => {
      const taken = Math.min(to - from, limit - length);
      reserve(length + taken);
      bytes.set(source.subarray(from, from + taken), length);
      length += taken;
      return taken;
    },
    view: () => bytes.subarray(0, length),
    clear: () => {
      length = 0;
      // A long line is rare: its room is given back, so that a thousand connections do not keep a thousand of them.
      if (bytes.length > 4096) bytes = Buffer.alloc(0);
    },
  };
}
