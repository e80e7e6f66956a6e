import type { Clock, EpochMs } from '../core/clock.ts';
import type { WatchedTraffic } from '../core/polling/firewall.ts';
import { concernsLicenseServer } from '../core/polling/firewall.ts';
import type { LogSource } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import type { Attribution, Origin } from './attribution.ts';
import { hostInLine } from './attribution.ts';
import type { Line, LineSink } from './framing.ts';
import type { EventOutbox } from './outbox.ts';
import type { Recognition } from './recognise.ts';
import { recogniseLine } from './recognise.ts';
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
  readonly onForeign: (line: Line) => void;
}

/**
 * Reads the lines of one sender or file: counts all of them, and looks closer only at those that contain one of the catalogue's
 * needles, which one search over the whole piece finds.
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

  constructor(context: ReaderContext, options: ReaderOptions) {
    this.#context = context;
    this.#options = options;
    this.#needle = needlePattern(context.signatures.needles);
  }

  piece(): void {
    this.#now = this.#context.clock.now();
    this.#hit = -1;
    this.#heard = undefined;
  }

  line(line: Line): void {
    const owner = this.#ownerOf(line);
    if (owner === undefined) {
      this.#foreign(line);
      return;
    }
    if (owner !== this.#heard) {
      this.#heard = owner;
      this.#context.outbox.heard(owner, this.#now);
    }
    const { tally } = this.#options;
    if (this.#holdsNeedle(line) && this.#report(line, owner)) tally.ftm += 1;
    else if (line.cut || !isText(line.text.charCodeAt(line.start))) tally.unparsed += 1;
    else tally.other += 1;
  }

  #foreign(line: Line): void {
    const { foreign, origin, source, tally, onForeign } = this.#options;
    // A firewall is no appliance, but what it admits raises an alarm: it counts where somebody vouches for the sender.
    const vouched = origin.kind === 'relay' || source === 'file';
    if (vouched && foreign === 'count' && this.#holdsNeedle(line) && this.#report(line, undefined)) {
      tally.ftm += 1;
      return;
    }
    tally.foreign += 1;
    onForeign(line);
  }

  #holdsNeedle(line: Line): boolean {
    if (this.#hit <= line.start) {
      this.#needle.lastIndex = line.start;
      this.#hit = this.#needle.test(line.text) ? this.#needle.lastIndex : Number.POSITIVE_INFINITY;
    }
    return this.#hit <= line.end;
  }

  /** Undefined: nobody's. */
  #ownerOf(line: Line): string | null | undefined {
    const { origin, source } = this.#options;
    const { attribution } = this.#context;
    switch (origin.kind) {
      case 'appliance':
        return origin.appliance;
      case 'foreign':
        return undefined;
      case 'unproven': {
        const host = hostInLine(line.text, line.start, line.end);
        return host === null ? undefined : attribution.hostName(host);
      }
      case 'relay': {
        const host = hostInLine(line.text, line.start, line.end);
        if (host !== null) return attribution.host(host);
        return source === 'file' && attribution.only !== null ? attribution.only : undefined;
      }
    }
  }

  /** Hands on what the line says. Returns whether it counts as a known trouble. */
  #report(line: Line, owner: string | null | undefined): boolean {
    const { attribution, outbox, signatures, watched } = this.#context;
    const { source } = this.#options;
    const text = line.bytes.toString('utf8', line.start, Math.min(line.end, line.start + LOOKED_AT));
    const found = recogniseLine(signatures, text);
    if (found === null) return false;
    const stamp = { at: instantOf(found, source, this.#now), line: text, source };
    if (found.kind === 'firewall') {
      if (!concernsLicenseServer(found.evidence, watched)) return false;
      // A firewall is no appliance, so its lines are mostly nobody's.
      outbox.evidence(found.signature.id, found.evidence, stamp);
      return owner !== undefined;
    }
    // Nobody but FortiAuthenticator writes this, and the administrator named the file: it is not lost for an unknown host name.
    const writer = owner === undefined && source === 'file' ? attribution.only : owner;
    if (writer === undefined) return false;
    outbox.ftm(writer, found.signature.id, stamp);
    return true;
  }
}

/** When it happened: on arrival. A file may be read long after, so there the line's own time counts, unless it lies ahead. */
function instantOf({ envelope }: Recognition, source: LogSource, now: EpochMs): EpochMs {
  if (source !== 'file' || envelope.time === null) return now;
  return Math.min(readTime(envelope.time, now) ?? now, now);
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
