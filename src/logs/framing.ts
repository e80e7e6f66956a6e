/** Buffer for the bytes of an incomplete line. The buffer grows as needed up to a limit, and rejects further bytes. */
interface ByteBuffer {
  length(): number;
  /** Appends as many bytes of `bytes[from, to)` as possible. Returns the number of appended bytes. */
  append(bytes: Uint8Array, from: number, to: number): number;
  /** Returns the collected bytes as a view, which the next append may overwrite. */
  view(): Buffer;
  clear(): void;
}

const SMALLEST = 512;

/** @param limit maximum number of bytes */
function createByteBuffer(limit: number): ByteBuffer {
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
      // Long lines are rare, so their memory is released. Otherwise, a thousand connections could keep a thousand large
      // buffers.
      if (bytes.length > 4096) bytes = Buffer.alloc(0);
    },
  };
}

/**
 * Maximum line length. Longer lines are cut, and the rest of the line is skipped. Messages begin well within this
 * length, and RFC 5424 §6.1 requires at least 2048 bytes. The limit also applies to the memory of all connections.
 * Thousands of lines without an end use at most 16 MiB per listener.
 */
export const MAX_LINE_BYTES: number = 8_192;

/**
 * Receives lines. Positions are the same in `bytes` and in `text`, which contains the bytes as Latin-1 so that they can
 * be searched quickly.
 */
export interface LineSink {
  /** Called before the lines of the next chunk of input. */
  piece(text: string): void;
  /**
   * Called for each line, without its line break. The line is never empty. `cut` means that the line was longer than
   * MAX_LINE_BYTES. The object is valid only during the call.
   */
  line(line: FramedLine): void;
}

/**
 * One object is reused for all lines. Otherwise, up to a million objects per second would have to be garbage-collected.
 */
export interface FramedLine {
  bytes: Buffer;
  text: string;
  start: number;
  end: number;
  cut: boolean;
}

const NOTHING: Buffer = Buffer.alloc(0);
const LF = 0x0a;
const DIGIT_1 = 0x31;
const DIGIT_9 = 0x39;
/**
 * `MSG-LEN SP` of RFC 6587 §3.4.1 and the `<` at the beginning of a message. The `<` distinguishes it from a line that
 * begins with digits.
 */
const COUNT = /^([1-9]\d{0,6}) </u;
const COUNT_BEGUN = /^[1-9]\d{0,6} ?$/u;
const LONGEST_COUNT = 9;

/**
 * `start`: at the beginning of a frame. `undecided`: the buffered bytes may become an octet count. `line`: reads until
 * the next line break. `counted`: the frame has `missing` more bytes.
 */
type Mode = { readonly kind: 'start' | 'undecided' | 'line' } | CountedMode;

interface CountedMode {
  readonly kind: 'counted';
  missing: number;
}

const START: Mode = { kind: 'start' };
const UNDECIDED: Mode = { kind: 'undecided' };
const LINE: Mode = { kind: 'line' };

/**
 * Splits a stream into frames at line breaks and, with `octetCounting`, also by RFC 6587 octet counts. The method is
 * detected at the beginning of each frame. Chunks can end anywhere. At most MAX_LINE_BYTES are buffered.
 */
export class Framer {
  readonly #sink: LineSink;
  readonly #octetCounting: boolean;
  readonly #held: ByteBuffer = createByteBuffer(MAX_LINE_BYTES);
  readonly #line: FramedLine = { bytes: NOTHING, text: '', start: 0, end: 0, cut: false };
  #mode: Mode = START;
  /** Whether the current frame was too long. The beginning of the frame has been emitted, and the rest is skipped. */
  #skipping = false;
  #frames = 0;

  constructor(sink: LineSink, { octetCounting }: { readonly octetCounting: boolean }) {
    this.#sink = sink;
    this.#octetCounting = octetCounting;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at = this.#take(chunk, at);
    this.#releaseChunk();
  }

  /** Ends the stream. The remaining bytes are emitted as a line. */
  end(): void {
    this.#endFrame(this.#mode.kind === 'counted');
    this.#releaseChunk();
  }

  /** Number of bytes in the buffer, without the bytes of a long line that is being skipped. */
  get pending(): number {
    return this.#held.length();
  }

  /** Whether a line has begun but not ended. */
  get inLine(): boolean {
    return this.#mode.kind !== 'start';
  }

  /** Number of completed frames, including empty ones. */
  get frames(): number {
    return this.#frames;
  }

  #take(chunk: Buffer, from: number): number {
    switch (this.#mode.kind) {
      case 'start':
        return this.#takeWhole(chunk, from);
      case 'undecided':
        return this.#takeUndecided(chunk, from);
      case 'line':
        return this.#takeLine(chunk, from);
      case 'counted':
        return this.#takeCounted(chunk, from, this.#mode);
    }
  }

  /**
   * Reads whole frames directly from the chunk. Returns the end of the chunk, or the beginning of an incomplete frame.
   */
  #takeWhole(chunk: Buffer, from: number): number {
    this.#open(chunk);
    const { text } = this.#line;
    let at = from;
    while (at < text.length) {
      const count = this.#octetCounting && isCountDigit(text.charCodeAt(at)) ? countAt(text, at) : null;
      if (count !== null) {
        const next = this.#takeOneCounted(chunk, at, count);
        if (this.#mode.kind !== 'start') return next;
        at = next;
        continue;
      }
      const end = text.indexOf('\n', at);
      if (end < 0) {
        this.#mode = LINE;
        return at;
      }
      this.#emit(at, end, false);
      this.#frames += 1;
      at = end + 1;
    }
    return at;
  }

  #takeOneCounted(chunk: Buffer, at: number, count: OctetCount | 'begun'): number {
    if (count === 'begun') {
      this.#mode = UNDECIDED;
      this.#hold(chunk, at, chunk.length);
      return chunk.length;
    }
    const begin = at + count.header;
    const end = begin + count.size;
    if (end > chunk.length) {
      this.#mode = { kind: 'counted', missing: count.size };
      return begin;
    }
    this.#emit(begin, end, false);
    this.#frames += 1;
    return end;
  }

  /** Continues a frame if it is not yet known how the frame is delimited. */
  #takeUndecided(chunk: Buffer, from: number): number {
    const begun = this.#held.view().toString('latin1');
    const count = countAt(begun + chunk.toString('latin1', from, from + LONGEST_COUNT), 0);
    if (count === 'begun') {
      this.#hold(chunk, from, chunk.length);
      return chunk.length;
    }
    if (count === null) {
      this.#mode = LINE;
      return from;
    }
    this.#held.clear();
    this.#mode = { kind: 'counted', missing: count.size };
    return from + count.header - begun.length;
  }

  #takeLine(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(LF, from);
    this.#hold(chunk, from, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    this.#endFrame(false);
    return end + 1;
  }

  #takeCounted(chunk: Buffer, from: number, counted: CountedMode): number {
    const end = Math.min(chunk.length, from + counted.missing);
    this.#hold(chunk, from, end);
    counted.missing -= end - from;
    if (counted.missing === 0) this.#endFrame(false);
    return end;
  }

  #hold(chunk: Buffer, from: number, to: number): void {
    if (this.#skipping || this.#held.append(chunk, from, to) === to - from) return;
    this.#emitHeld(true);
    this.#skipping = true;
  }

  #endFrame(broken: boolean): void {
    // Nothing is buffered for a frame that is being skipped.
    this.#emitHeld(broken);
    this.#skipping = false;
    this.#frames += 1;
    this.#mode = START;
  }

  #emitHeld(broken: boolean): void {
    if (this.#held.length() > 0) {
      this.#open(this.#held.view());
      this.#emit(0, this.#held.length(), broken);
    }
    this.#held.clear();
  }

  #open(bytes: Buffer): void {
    this.#line.bytes = bytes;
    this.#line.text = bytes.toString('latin1');
    this.#sink.piece(this.#line.text);
  }

  /**
   * Releases the chunk. Otherwise, each connection would keep 64 KB twice, as bytes and as text, until the next chunk.
   */
  #releaseChunk(): void {
    this.#line.bytes = NOTHING;
    this.#line.text = '';
  }

  #emit(start: number, end: number, broken: boolean): void {
    const line = this.#line;
    const capped = Math.min(end, start + MAX_LINE_BYTES);
    const last = trimmedEnd(line.text, start, capped);
    if (last === start) return;
    line.start = start;
    line.end = last;
    line.cut = broken || capped < end;
    this.#sink.line(line);
  }
}

interface OctetCount {
  /** Length of the octet count, including the blank. */
  readonly header: number;
  /** Size of the message in octets, as announced by the sender. */
  readonly size: number;
}

function isCountDigit(code: number): boolean {
  return code >= DIGIT_1 && code <= DIGIT_9;
}

/** Reads the octet count at `at`. Returns `begun` if the text is too short to decide. */
function countAt(text: string, at: number): OctetCount | 'begun' | null {
  const beginning = text.slice(at, at + LONGEST_COUNT);
  const match = COUNT.exec(beginning);
  if (match !== null) return { header: match[0].length - 1, size: Number(match[1]) };
  return at + beginning.length === text.length && COUNT_BEGUN.test(beginning) ? 'begun' : null;
}

/** Returns the position where the text ends. White space and NUL bytes that senders append are not included. */
export function trimmedEnd(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && isPadding(text.charCodeAt(last - 1))) last -= 1;
  return last;
}

function isPadding(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x00 || code === 0x09;
}
