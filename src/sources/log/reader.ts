import type { Clock, EpochMs } from '../../core/clock.ts';
import { OWN_PROGRAM } from '../../core/syslog-program.ts';
import { concernsLicenseServer, type WatchedTraffic } from '../../core/polling/firewall.ts';
import type { LogResult, LogSource } from '../../core/polling/log-event.ts';
import { seemsAboutActivation, type SignatureSet } from '../../core/polling/signature.ts';
import type { Attribution, Origin } from './attribution.ts';
import { readEnvelope, type Envelope } from './envelope.ts';
import type { FramedLine, LineSink } from './framing.ts';
import { ownerOf } from './line-owner.ts';
import type { EventOutbox } from './outbox.ts';
import { recogniseLine } from './recognise.ts';
import { REPEATED, timesOfLast } from './repeated.ts';
import type { LineTally } from './tally.ts';
import { readTime } from './timestamp.ts';

/** A message begins well within this; the rest of a longer line is not looked at. */
const LOOKED_AT = 8192;

/** What all readers share. */
export interface ReaderContext {
  readonly clock: Clock;
  readonly signatures: SignatureSet;
  readonly attribution: Attribution;
  readonly watched: WatchedTraffic;
  readonly outbox: EventOutbox;
}

export interface ReaderOptions {
  readonly source: LogSource;
  readonly origin: Origin;
  readonly tally: LineTally;
  /** `refuse`: foreign lines are not even looked at. */
  readonly foreign: 'count' | 'refuse';
  /** Called for each foreign line. */
  readonly onForeign: (line: FramedLine) => void;
  /** Called for each line of an appliance that seems to be about FortiToken Mobile activation and matches nothing. */
  readonly onUnrecognised: (line: string) => void;
}

/** An error of an appliance, as the line before told it. */
interface EarlierError {
  readonly writer: string | null;
  readonly signature: string;
  readonly line: string;
}

/**
 * Reads the lines of one sender or file: counts all of them, and looks closer only at those that contain one of the
 * catalogue's needles, which one search over the whole piece finds.
 */
export class LogReader implements LineSink {
  readonly #context: ReaderContext;
  readonly #options: ReaderOptions;
  readonly #needle: RegExp;
  #now: EpochMs = 0;
  /** End of the first needle behind what was read so far; Infinity: there is none. -1: not searched yet. */
  #hit = -1;
  /** Who was reported as heard in this piece already. */
  #heard: string | null | undefined;
  /** Null: the line before was none. */
  #before: EarlierError | null = null;

  constructor(context: ReaderContext, options: ReaderOptions) {
    this.#context = context;
    this.#options = options;
    this.#needle = needlePattern([...context.signatures.needles, ` ${OWN_PROGRAM}`]);
  }

  piece(): void {
    this.#now = this.#context.clock.now();
    this.#hit = -1;
    this.#heard = undefined;
  }

  line(line: FramedLine): void {
    const before = this.#before;
    this.#before = null;
    const owner = ownerOf(line, this.#options, this.#context.attribution);
    if (owner === undefined) {
      this.#foreign(line);
      return;
    }
    const holdsNeedle = this.#holdsNeedle(line);
    if (holdsNeedle && readEnvelope(textOf(line)).own) {
      this.#options.tally.other += 1;
      return;
    }
    if (owner !== this.#heard) {
      this.#heard = owner;
      this.#context.outbox.heard(owner, this.#now);
    }
    const result = holdsNeedle ? this.#report(line, owner) : 'other';
    this.#options.tally[result === 'other' ? this.#repeated(line, owner, before) : result] += 1;
  }

  #foreign(line: FramedLine): void {
    const { foreign, origin, source, tally, onForeign } = this.#options;
    // A firewall is no appliance, but what it admits raises an alarm: it counts where somebody confirms the sender.
    const confirmed = origin.kind === 'relay' || source === 'file';
    if (confirmed && foreign === 'count' && this.#holdsNeedle(line) && this.#report(line, undefined) === 'ftm') {
      tally.ftm += 1;
      return;
    }
    tally.foreign += 1;
    onForeign(line);
  }

  #holdsNeedle(line: FramedLine): boolean {
    if (this.#hit <= line.start) {
      this.#needle.lastIndex = line.start;
      this.#hit = this.#needle.test(line.text) ? this.#needle.lastIndex : Number.POSITIVE_INFINITY;
    }
    return this.#hit <= line.end;
  }

  /** Hands on what the line says, and tells what it counts as. */
  #report(line: FramedLine, owner: string | null | undefined): LogResult {
    const { outbox, signatures, watched } = this.#context;
    const { source, onUnrecognised } = this.#options;
    const text = textOf(line);
    const found = recogniseLine(signatures, text);
    if (found === null) {
      if (owner === undefined || !seemsAboutActivation(signatures, text)) return 'other';
      onUnrecognised(text);
      return 'unrecognised';
    }
    const { id } = found.signature;
    const stamp = { at: instantOf(found.envelope, source, this.#now), line: text, source, times: found.envelope.times };
    if (found.kind === 'firewall') {
      if (!concernsLicenseServer(found.evidence, watched)) return 'other';
      // A firewall is no appliance, so its lines are mostly nobody's.
      outbox.evidence(id, found.evidence, stamp);
      return owner === undefined ? 'other' : 'ftm';
    }
    const writer = this.#writerOf(found.kind, owner);
    if (writer === undefined) return 'other';
    this.#before = { writer, signature: id, line: text };
    outbox.ftm(writer, id, stamp);
    return 'ftm';
  }

  #writerOf(kind: 'ftm' | 'event', owner: string | null | undefined): string | null | undefined {
    // What a FortiGate says of tokens of its own is nothing to a FortiAuthenticator: it counts for a configured unit.
    if (kind === 'event') return owner ?? undefined;
    // Nobody but FortiAuthenticator writes this, and the administrator named the file: it is not lost for an unknown
    // host name.
    return owner === undefined && this.#options.source === 'file' ? this.#context.attribution.only : owner;
  }

  /** A line without a keyword may stand for others like the one before. */
  #repeated(line: FramedLine, owner: string | null, before: EarlierError | null): LogResult {
    if (before !== null && before.writer === owner && line.text.slice(line.start, line.end).includes(REPEATED)) {
      const text = textOf(line);
      const times = timesOfLast(text);
      if (times > 0) {
        const { source } = this.#options;
        const at = instantOf(readEnvelope(text), source, this.#now);
        this.#context.outbox.ftm(before.writer, before.signature, { at, line: before.line, source, times });
        return 'ftm';
      }
    }
    return line.cut || !isText(line.text.charCodeAt(line.start)) ? 'unparsed' : 'other';
  }
}

function textOf({ bytes, start, end }: FramedLine): string {
  return bytes.toString('utf8', start, Math.min(end, start + LOOKED_AT));
}

/**
 * When it happened: on arrival. A file may be read long after, so there the line's own time counts, unless it lies
 * ahead.
 */
function instantOf({ time }: Envelope, source: LogSource, now: EpochMs): EpochMs {
  if (source !== 'file' || time === null) return now;
  return Math.min(readTime(time, now) ?? now, now);
}

function needlePattern(needles: readonly string[]): RegExp {
  // The text is Latin-1, byte for byte; a needle beyond ASCII is spelled as its UTF-8 bytes.
  const literals = needles.map((needle) =>
    Buffer.from(needle, 'utf8')
      .toString('latin1')
      .replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&'),
  );
  return literals.length === 0 ? /(?!)/g : new RegExp(literals.join('|'), 'g');
}

/** A log line begins with printable ASCII, in every format; a UTF-8 letter is let through too. */
function isText(code: number): boolean {
  return code > 0x20 && code !== 0x7f;
}
