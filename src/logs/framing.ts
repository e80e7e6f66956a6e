const SMALLEST = 512;

/** A buffer that grows up to a limit. Bytes beyond the limit are not stored. */
function createByteBuffer(limit: number) {
  let bytes = Buffer.alloc(0);
  let length = 0;

  function reserve(wanted: number): void {
    if (wanted <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(SMALLEST, wanted, bytes.length * 2)));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  }

  return {
    length: (): number => length,
    /** Returns the number of appended bytes. */
    append: (source: Uint8Array, from: number, to: number): number => {
      const taken = Math.min(to - from, limit - length);
      reserve(length + taken);
      bytes.set(source.subarray(from, from + taken), length);
      length += taken;
      return taken;
    },
    /** The next append may overwrite the view. */
    view: (): Buffer => bytes.subarray(0, length),
    clear: (): void => {
      length = 0;
      // If large buffers were kept, a thousand connections could hold a thousand of them.
      if (bytes.length > 4096) bytes = Buffer.alloc(0);
    },
  };
}

/**
 * The rest of a longer line is skipped. RFC 5424 §6.1 requires support for at least 2048 bytes. Even if every
 * connection sends an endless line, a listener uses at most 16 MiB.
 */
export const MAX_LINE_BYTES: number = 8_192;

/** `text` is `bytes`, decoded as Latin-1 for a fast search. Positions are therefore the same in both. */
export interface LineSink {
  /** Called before the lines of each chunk. */
  piece(text: string): void;
  /**
   * The line is never empty. `cut` means that the received line was longer than MAX_LINE_BYTES. The object is valid
   * only during the call.
   */
  line(line: FramedLine): void;
}

/** The same object is reused for all lines to avoid garbage collection of up to a million objects per second. */
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
 * `MSG-LEN SP` (RFC 6587 §3.4.1) and the `<` of the message. Without the `<`, any line that begins with digits would
 * match.
 */
const COUNT = /^([1-9]\d{0,6}) </u;
const COUNT_BEGUN = /^[1-9]\d{0,6} ?$/u;
const LONGEST_COUNT = 9;

/**
 * `undecided`: the buffered bytes may be the beginning of an octet count. `line`: the frame ends at the next line
 * break. `counted`: the frame ends after `missing` more bytes.
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
 * Splits a stream at line breaks and, with `octetCounting`, also by RFC 6587 octet counts. The method is detected for
 * each frame. At most MAX_LINE_BYTES are buffered.
 */
export class Framer {
  readonly #sink: LineSink;
  readonly #octetCounting: boolean;
  readonly #held = createByteBuffer(MAX_LINE_BYTES);
  readonly #line: FramedLine = { bytes: NOTHING, text: '', start: 0, end: 0, cut: false };
  #mode: Mode = START;
  /** True while the rest of a frame that is too long is skipped. Its beginning has been emitted. */
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

  /** Emits the remaining bytes as a line. */
  end(): void {
    this.#endFrame(this.#mode.kind === 'counted');
    this.#releaseChunk();
  }

  /** Number of buffered bytes, excluding skipped bytes. */
  get pending(): number {
    return this.#held.length();
  }

  /** The beginning of a line was received, but not its end. */
  get inLine(): boolean {
    return this.#mode.kind !== 'start';
  }

  /** Number of complete frames, including empty frames. */
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

  /** Reads complete frames directly from the chunk. Returns the position of the first incomplete frame. */
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
    // If the frame is being skipped, the buffer is empty.
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

  /** Otherwise, an idle connection would keep up to 64 KB of bytes and the same amount of text in memory. */
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
  /** Length of the count and the space after it. */
  readonly header: number;
  /** The message length that the sender specified. */
  readonly size: number;
}

function isCountDigit(code: number): boolean {
  return code >= DIGIT_1 && code <= DIGIT_9;
}

/** Returns `begun` if more text is needed. */
function countAt(text: string, at: number): OctetCount | 'begun' | null {
  const beginning = text.slice(at, at + LONGEST_COUNT);
  const match = COUNT.exec(beginning);
  if (match !== null) return { header: match[0].length - 1, size: Number(match[1]) };
  return at + beginning.length === text.length && COUNT_BEGUN.test(beginning) ? 'begun' : null;
}

/** Excludes trailing white space and NUL bytes. */
export function trimmedEnd(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && isPadding(text.charCodeAt(last - 1))) last -= 1;
  return last;
}

function isPadding(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x00 || code === 0x09;
}
