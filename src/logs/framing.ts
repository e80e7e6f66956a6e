/**
 * The rest of a longer line is skipped. RFC 5424 §6.1 requires support for at least 2048 bytes. Even if every
 * connection sends an endless line, a listener uses at most 16 MiB.
 */
export const MAX_LINE_BYTES: number = 8_192;

/** The line is never empty. `cut` means that the line is incomplete, for example longer than MAX_LINE_BYTES. */
export type LineSink = (line: string, cut: boolean) => void;

const NOTHING = new Uint8Array();
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

/** `end` is infinite if the frame's end was not received and is not known. */
interface Frame {
  readonly begin: number;
  readonly end: number;
  readonly next: number;
}

/**
 * Splits a stream at line breaks and, with `octetCounting`, also by RFC 6587 octet counts. The method is detected for
 * each frame. At most MAX_LINE_BYTES and an octet count are kept between two chunks.
 */
export class Framer {
  readonly #sink: LineSink;
  readonly #octetCounting: boolean;
  #rest: Uint8Array = NOTHING;
  /** Bytes to skip of a frame that is too long. Infinite up to a line break. */
  #skip = 0;
  #frames = 0;

  constructor(sink: LineSink, { octetCounting }: { readonly octetCounting: boolean }) {
    this.#sink = sink;
    this.#octetCounting = octetCounting;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    // If the sink fails, `end` must not emit the same bytes again.
    this.#rest = NOTHING;
    const taken = this.#take(bytes, this.#skipped(bytes));
    // A view of the chunk would keep all of its memory.
    if (taken < bytes.length) this.#rest = new Uint8Array(bytes.subarray(taken));
  }

  /** Emits the remaining bytes as a line. */
  end(): void {
    const bytes = Buffer.from(this.#rest);
    const { begin, end } = this.#frameAt(bytes, 0) ?? { begin: 0, end: Number.POSITIVE_INFINITY };
    this.#rest = NOTHING;
    this.#skip = 0;
    this.#frames += 1;
    passLine(this.#sink, bytes, { begin, end: bytes.length, broken: Number.isFinite(end) });
  }

  /** Number of buffered bytes, excluding skipped bytes. */
  get pending(): number {
    return this.#rest.length;
  }

  /** The beginning of a line was received, but not its end. */
  get inLine(): boolean {
    return this.#rest.length > 0 || this.#skip > 0;
  }

  /** Number of complete frames, including empty frames. */
  get frames(): number {
    return this.#frames;
  }

  /** Returns the position of the first incomplete frame. */
  #take(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const frame = this.#frameAt(bytes, at);
      if (frame === null) return at;
      const { begin, end, next } = frame;
      if (end > bytes.length && bytes.length - begin <= MAX_LINE_BYTES) return at;
      passLine(this.#sink, bytes, { begin, end: Math.min(end, bytes.length), broken: false });
      if (end > bytes.length) {
        this.#skip = next - bytes.length;
        return bytes.length;
      }
      this.#frames += 1;
      at = next;
    }
    return at;
  }

  /** Returns null if more bytes are needed to tell how the frame ends. */
  #frameAt(bytes: Buffer, at: number): Frame | null {
    const first = bytes[at] ?? 0;
    if (this.#octetCounting && first >= DIGIT_1 && first <= DIGIT_9) {
      const beginning = bytes.toString('latin1', at, at + LONGEST_COUNT);
      const count = COUNT.exec(beginning);
      if (count !== null) {
        const begin = at + count[0].length - 1;
        const end = begin + Number(count[1]);
        return { begin, end, next: end };
      }
      if (at + beginning.length === bytes.length && COUNT_BEGUN.test(beginning)) return null;
    }
    const found = bytes.indexOf(LF, at);
    const end = found < 0 ? Number.POSITIVE_INFINITY : found;
    return { begin: at, end, next: end + 1 };
  }

  /** Returns where the next frame begins. */
  #skipped(bytes: Buffer): number {
    if (this.#skip === 0) return 0;
    const next = Number.isFinite(this.#skip) ? this.#skip : bytes.indexOf(LF) + 1 || Number.POSITIVE_INFINITY;
    if (next > bytes.length) {
      this.#skip = Math.max(0, this.#skip - bytes.length);
      return bytes.length;
    }
    this.#skip = 0;
    this.#frames += 1;
    return next;
  }
}

/** Decodes one frame, without the white space and NUL bytes at its end. Invalid UTF-8 is replaced. */
export function passLine(
  sink: LineSink,
  bytes: Buffer,
  { begin, end, broken }: { readonly begin: number; readonly end: number; readonly broken: boolean },
): void {
  const capped = Math.min(end, begin + MAX_LINE_BYTES);
  let last = capped;
  while (last > begin && isPadding(bytes[last - 1])) last -= 1;
  if (last > begin) sink(bytes.toString('utf8', begin, last), broken || capped < end);
}

function isPadding(code: number | undefined): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x00 || code === 0x09;
}
