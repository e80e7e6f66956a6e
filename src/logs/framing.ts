/** Bytes that wait for the rest of their line. Grows as needed, up to a limit; what does not fit is refused. */
interface ByteBuffer {
  length(): number;
  /** Takes as much of `bytes[from, to)` as fits; returns how much that was. */
  append(bytes: Uint8Array, from: number, to: number): number;
  /** What was collected: a view that the next append may overwrite. */
  view(): Buffer;
  clear(): void;
}

const SMALLEST = 512;

/** @param limit the most bytes it will hold */
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
      // A long line is rare: its room is given back, so that a thousand connections do not keep a thousand of them.
      if (bytes.length > 4096) bytes = Buffer.alloc(0);
    },
  };
}

/**
 * Longer lines are cut here: what follows up to the end of the line is skipped. A message begins well within this, and
 * RFC 5424 §6.1 asks for 2048 bytes at least. It bounds the memory of all connections: some thousand lines that do not
 * end take no more than 16 MiB for each listener.
 */
export const MAX_LINE_BYTES: number = 8_192;

/** Takes lines. Positions are the same in `bytes` and `text`, which is the same as Latin-1: cheap to search. */
export interface LineSink {
  /** Lines of another piece of input follow. */
  piece(text: string): void;
  /**
   * One line, without its line break, never empty. `cut`: it went on, beyond MAX_LINE_BYTES. Valid during the call
   * only.
   */
  line(line: FramedLine): void;
}

/** One object is used for all lines: it would be garbage a million times a second otherwise. */
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
 * `MSG-LEN SP` of RFC 6587 §3.4.1 and the `<` that a message begins with: what tells it from a line that begins with
 * digits.
 */
const COUNT = /^([1-9]\d{0,6}) </u;
const COUNT_BEGUN = /^[1-9]\d{0,6} ?$/u;
const LONGEST_COUNT = 9;

/**
 * `start`: at the beginning of a frame. `undecided`: what is held may become an octet count. `line`: up to the next
 * line break. `counted`: so many bytes are still to come.
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
 * Frames by line breaks, and with `octetCounting` by RFC 6587's octet counts too: which of the two is seen again at the
 * beginning of each frame. Chunks may end anywhere. Holds at most MAX_LINE_BYTES.
 */
export class Framer {
  readonly #sink: LineSink;
  readonly #octetCounting: boolean;
  readonly #held: ByteBuffer = createByteBuffer(MAX_LINE_BYTES);
  readonly #line: FramedLine = { bytes: NOTHING, text: '', start: 0, end: 0, cut: false };
  #mode: Mode = START;
  /** The frame was too long: it has been handed on, and its rest is skipped. */
  #skipping = false;
  #frames = 0;

  constructor(sink: LineSink, { octetCounting }: { readonly octetCounting: boolean }) {
    this.#sink = sink;
    this.#octetCounting = octetCounting;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at = this.#take(chunk, at);
    this.#letGo();
  }

  /** The stream has ended: what is left is a line. */
  end(): void {
    this.#endFrame(this.#mode.kind === 'counted');
    this.#letGo();
  }

  /** Bytes that wait for the rest of their line, those of a long one that are being skipped not counted. */
  get pending(): number {
    return this.#held.length();
  }

  /** A line has begun and has not ended. */
  get inLine(): boolean {
    return this.#mode.kind !== 'start';
  }

  /** Frames that have ended, empty ones too. */
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
   * Whole frames, straight from the chunk. Returns the end, or where a frame begins that the chunk does not complete.
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

  /** More of a frame whose beginning does not tell how it is framed. */
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
    // Nothing is held of a frame that is being skipped.
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

  /** A piece of 64 KB would be kept by each connection until its next one otherwise, twice. */
  #letGo(): void {
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
  /** Characters of the count itself, with its blank. */
  readonly header: number;
  /** Octets of the message, as announced. */
  readonly size: number;
}

function isCountDigit(code: number): boolean {
  return code >= DIGIT_1 && code <= DIGIT_9;
}

/** The octet count at `at`: its own length and the size it announces. `begun`: the text ends too early to tell. */
function countAt(text: string, at: number): OctetCount | 'begun' | null {
  const beginning = text.slice(at, at + LONGEST_COUNT);
  const match = COUNT.exec(beginning);
  if (match !== null) return { header: match[0].length - 1, size: Number(match[1]) };
  return at + beginning.length === text.length && COUNT_BEGUN.test(beginning) ? 'begun' : null;
}

/** Without the white space and NUL bytes that senders put at the end. */
export function trimmedEnd(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && isPadding(text.charCodeAt(last - 1))) last -= 1;
  return last;
}

function isPadding(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x00 || code === 0x09;
}
