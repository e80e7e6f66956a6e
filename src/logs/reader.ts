import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import {
  OWN_PROGRAM,
  concernsLicenseServer,
  isOfUnit,
  type WatchedTraffic,
  type LogResult,
  type LogSource,
  type FirewallEvidence,
  type FtmEvent,
  type LogEvent,
} from '../core/polling/log-event.ts';
import {
  seemsAboutActivation,
  type SignatureSet,
  type FirewallSignature,
  type MessageSignature,
  matchField,
  matchFirewall,
  matchLoosely,
  matchMessage,
} from '../core/polling/signature.ts';
import { type Attribution, type Origin, isReliable, ownerOf, sampleOf } from './senders.ts';
import { readEnvelope, type Envelope, timesOfLast, readTime, type Body } from './envelope.ts';
import type { LineTally } from './tally.ts';
import { UNNAMED } from '../core/polling/state.ts';

interface ReaderContext {
  readonly clock: Clock;
  readonly signatures: SignatureSet;
  readonly attribution: Attribution;
  readonly watched: WatchedTraffic;
  readonly outbox: EventOutbox;
}

interface ReaderOptions {
  readonly source: LogSource;
  readonly origin: Origin;
  readonly tally: LineTally;
  /** With `refuse`, lines from unknown senders are not examined. */
  readonly foreign: 'count' | 'refuse';
  readonly onForeign: (line: string) => void;
  /** Called for lines that seem to be about FortiToken Mobile activation but have no matching signature. */
  readonly onUnrecognised: (line: string) => void;
}

type EarlierError = Omit<FtmEvent, 'at' | 'ahead' | 'count'>;

/** All lines are counted, but only lines that contain a search text from the catalogue are examined. */
export class LogReader {
  readonly #context: ReaderContext;
  readonly #options: ReaderOptions;
  readonly #needle: RegExp;
  readonly #reliable: boolean;
  /** Lines of a firewall prove nothing about FortiAuthenticator. */
  readonly #speaksForUnit: boolean;
  /** When the line arrived. */
  #now: EpochMs = 0;
  /** The appliance of the last `heard` event, and the time of that event. */
  #heard: string | null | undefined;
  #heardAt: EpochMs = 0;
  /** Null if the previous line did not contain an error. */
  #before: EarlierError | null = null;

  constructor(context: ReaderContext, options: ReaderOptions) {
    this.#context = context;
    this.#options = options;
    this.#reliable = isReliable(options);
    this.#speaksForUnit = this.#reliable && options.origin.kind !== 'firewall';
    this.#needle = needlePattern([...context.signatures.needles, ` ${OWN_PROGRAM}`]);
  }

  /** @param cut whether the end of the line is missing */
  read(line: string, cut: boolean): void {
    this.#now = this.#context.clock.now();
    const before = cut ? null : this.#before;
    this.#before = null;
    const owner = ownerOf(line, this.#options, this.#context.attribution);
    if (owner === undefined) {
      this.#foreign(line, cut);
      return;
    }
    const { tally } = this.#options;
    const envelope = this.#envelopeOf(line, cut);
    if (envelope?.own === true) {
      tally.other += 1;
      return;
    }
    this.#noteHeard(owner);
    const result = envelope === null ? 'other' : this.#report(line, envelope, owner);
    if (result !== 'other') tally[result] += 1;
    else if (before !== null && before.appliance === owner && this.#repeats(line, before)) tally.ftm += 1;
    else tally[cut || !isText(line.charCodeAt(0)) ? 'unparsed' : 'other'] += 1;
  }

  #noteHeard(owner: string | null): void {
    if (owner === this.#heard && this.#now === this.#heardAt) return;
    this.#heard = owner;
    this.#heardAt = this.#now;
    this.#context.outbox.heard(owner, this.#now, this.#speaksForUnit);
  }

  /**
   * Returns null if the line cannot be an error. In an incomplete line, an attacker's text could be in the position of
   * the missing message.
   */
  #envelopeOf(line: string, cut: boolean): Envelope | null {
    return cut || !this.#needle.test(line) ? null : readEnvelope(line);
  }

  #foreign(line: string, cut: boolean): void {
    const { foreign, origin, source, tally, onForeign } = this.#options;
    // A firewall's line can raise an alarm and could be forged, so it is used only if it comes through a relay or from
    // a configured file.
    const confirmed = origin.kind === 'relay' || source === 'file';
    const envelope = confirmed && foreign === 'count' ? this.#envelopeOf(line, cut) : null;
    if (envelope !== null && this.#report(line, envelope, undefined) === 'ftm') {
      tally.ftm += 1;
      return;
    }
    tally.foreign += 1;
    onForeign(line);
  }

  /** Returns the result that the line is counted as. */
  #report(line: string, envelope: Envelope, owner: string | null | undefined): LogResult {
    const { outbox, signatures, watched } = this.#context;
    const { source, onUnrecognised } = this.#options;
    const found = recognise(signatures, envelope);
    if (found === null) {
      if (owner === undefined || !seemsAboutActivation(signatures, line)) return 'other';
      onUnrecognised(line);
      return 'unrecognised';
    }
    const { id } = found.signature;
    const moment = momentOf(envelope, source, this.#now);
    const count = envelope.times;
    if (found.kind === 'firewall') {
      const { evidence } = found;
      if (!concernsLicenseServer(evidence, watched)) return 'other';
      // A firewall is not an appliance, so most of its lines are not attributed to one.
      const told = { signature: id, at: moment.at, count, line, reliable: this.#reliable };
      outbox.found({ kind: 'firewall-evidence', evidence, ofUnit: isOfUnit(evidence, watched), ...told });
      return owner === undefined ? 'other' : 'ftm';
    }
    const appliance = this.#writerOf(found.kind, owner);
    if (appliance === undefined) return 'other';
    // Any program whose log is in the same file can write a line with a host that is not configured.
    const reliable = this.#reliable && owner !== undefined;
    this.#before = { kind: 'ftm', appliance, signature: id, line, reliable };
    outbox.found({ ...this.#before, ...moment, count });
    return 'ftm';
  }

  #writerOf(kind: 'ftm' | 'event', owner: string | null | undefined): string | null | undefined {
    // FortiGate events concern tokens on the FortiGate itself. They count only if they come from a configured unit.
    if (kind === 'event') return owner ?? undefined;
    // A line in a configured file is accepted even if its host name is unknown, because only FortiAuthenticator writes
    // this text.
    return owner === undefined && this.#options.source === 'file' ? this.#context.attribution.only : owner;
  }

  /** Even a line without a search text is relevant if it reports that the previous line was repeated. */
  #repeats(text: string, before: EarlierError): boolean {
    const count = timesOfLast(text);
    if (count === 0) return false;
    const moment = momentOf(readEnvelope(text), this.#options.source, this.#now);
    this.#context.outbox.found({ ...before, ...moment, count });
    return true;
  }
}

/** A smaller difference between two clocks is usual. */
const LEAST_AHEAD: Millis = 60_000;

/**
 * For a line from the network, returns the time of arrival. For a line in a file, returns the time in the line, because
 * the file may be read much later, but never a time in the future.
 */
function momentOf({ time }: Envelope, source: LogSource, now: EpochMs): Pick<FtmEvent, 'at' | 'ahead'> {
  const stamped = (time === null ? null : readTime(time, now)) ?? now;
  const ahead = stamped - now;
  return {
    at: source === 'file' ? Math.min(stamped, now) : now,
    ...(ahead < LEAST_AHEAD ? {} : { ahead }),
  };
}

function needlePattern(needles: readonly string[]): RegExp {
  return new RegExp(needles.map((needle) => needle.replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&')).join('|'), 'u');
}

/** Log lines begin with printable ASCII or a UTF-8 letter. */
function isText(code: number): boolean {
  return code > 0x20 && code !== 0x7f;
}

/** `event` is a FortiGate event about FortiTokens on the FortiGate itself. */
export type Recognition =
  | { readonly kind: 'ftm' | 'event'; readonly signature: MessageSignature; readonly envelope: Envelope }
  | {
      readonly kind: 'firewall';
      readonly signature: FirewallSignature;
      readonly evidence: FirewallEvidence;
      readonly envelope: Envelope;
    };

/** @internal */
export function recogniseLine(set: SignatureSet, line: string): Recognition | null {
  return recognise(set, readEnvelope(line));
}

/**
 * Returns null if the line is irrelevant. A signature's text must be in the message and not in a field, because an
 * attacker could use the text as a user name in a failed login.
 */
function recognise(set: SignatureSet, envelope: Envelope): Recognition | null {
  if (envelope.own) return null;
  switch (envelope.body.kind) {
    case 'fields':
      return recogniseFields(set, envelope, envelope.body.fields);
    case 'message': {
      const signature = matchBody(set.anchored, envelope.body);
      return signature === null ? null : { kind: 'ftm', signature, envelope };
    }
  }
}

/** Collectors store a parsed message as `msg="…"` or `"message": "…"`. */
const MESSAGE_FIELD = /(?<![\w-])(?:msg|message)"?[=:] ?"/iu;

/** The log ID can also be in a CEF line or in part of a line. */
const FORTIOS_LOG_ID = /\b(?:FTNTFGT)?log_?id="?(\d{10})\b/iu;

/** The key is `typeid` in syslog and `logid` in the raw export. */
const APPLIANCE_EVENT_ID = /\b(?:typeid|logid)="?(\d{5})\b/u;

/**
 * `unusualPlace` means that the signature's text is in a field that FortiAuthenticator does not use for messages. In
 * the log stream, this text would be ignored.
 */
export type PastedRecognition = Recognition & { readonly unusualPlace: boolean };

/** The line may be cut at either end. */
export function recognisePasted(set: SignatureSet, line: string): PastedRecognition | null {
  const envelope = readEnvelope(line);
  if (envelope.own) return null;
  const exact = recognise(set, envelope);
  if (exact !== null) return { ...exact, unusualPlace: false };
  const [, logId] = FORTIOS_LOG_ID.exec(line) ?? [];
  if (logId !== undefined) {
    const event = eventOf(set, envelope, logId);
    return event === null ? null : { ...event, unusualPlace: false };
  }
  const { body } = envelope;
  const explained = explainOnly(set, line, body);
  if (explained !== null) return { kind: 'ftm', signature: explained, envelope, unusualPlace: false };
  const complete = body.kind === 'fields' || body.complete;
  // A message in its usual position was already checked above.
  if (body.kind === 'message' && complete && body.alternatives.some((texts) => texts.length > 0)) return null;
  const inField = sameOf(
    line
      .split(MESSAGE_FIELD)
      .slice(1)
      .map((value) => matchField(set, value)),
  );
  if (inField !== null) return { kind: 'ftm', signature: inField, envelope, unusualPlace: true };
  // Partial matches are accepted only if the pasted line may be incomplete.
  const signature = complete ? null : matchLoosely(set, line);
  return signature === null ? null : { kind: 'ftm', signature, envelope, unusualPlace: false };
}

function recogniseFields(
  set: SignatureSet,
  envelope: Envelope,
  fields: ReadonlyMap<string, string>,
): Recognition | null {
  const signature = matchFirewall(set, fields);
  if (signature === null) return eventOf(set, envelope, fields.get('logid') ?? '');
  const first = (...keys: readonly string[]): string | null => {
    const key = keys.find((name) => (fields.get(name) ?? '') !== '');
    return key === undefined ? null : (fields.get(key) ?? null);
  };
  const evidence: FirewallEvidence = {
    device: first('devname', 'devid'),
    policy: first('policyid'),
    profile: first('profile'),
    action: first('action'),
    sourceAddress: first('srcip'),
    destinationAddress: first('dstip'),
    hostName: first('hostname', 'sni'),
  };
  return { kind: 'firewall', signature, evidence, envelope };
}

/** Returns null for a log ID that is not in the catalogue. */
function eventOf(set: SignatureSet, envelope: Envelope, logId: string): Recognition | null {
  const signature = set.events.get(logId);
  return signature === undefined ? null : { kind: 'event', signature, envelope };
}

type MessageBody = Extract<Body, { kind: 'message' }>;

/**
 * Finds signatures of events that do not indicate an activation problem on their own. The message text takes precedence
 * over the event ID.
 */
function explainOnly(set: SignatureSet, line: string, body: Body): MessageSignature | null {
  if (body.kind !== 'message' || !body.complete) return null;
  const byText = matchBody(set.explaining, body);
  return byText ?? set.applianceEvents.get(APPLIANCE_EVENT_ID.exec(line)?.[1] ?? '') ?? null;
}

function matchBody(patterns: SignatureSet['anchored'], { alternatives }: MessageBody): MessageSignature | null {
  for (const texts of alternatives) {
    const same = sameOf(texts.map((text) => matchMessage(patterns, text)));
    if (same !== null) return same;
  }
  return null;
}

/** Returns null if the signatures differ, because an attacker may then have written part of the line. */
function sameOf([first = null, ...others]: readonly (MessageSignature | null)[]): MessageSignature | null {
  return others.every((other) => other === first) ? first : null;
}

type HeardEvent = Extract<LogEvent, { kind: 'heard' }>;
type FoundEvent = Exclude<LogEvent, HeardEvent>;

/** Lines in a file can have different times even if they are read together. */
const GRAIN: Millis = 1000;
const HEARD_EVERY: Millis = 1000;
/** Once there are this many different events, they are delivered immediately. */
const MAX_PENDING = 512;

/**
 * Collects events and delivers them at the end of each turn of the event loop. Identical events are merged, so a flood
 * of lines causes only a few events.
 */
export class EventOutbox {
  readonly #deliver: (event: LogEvent) => void;
  readonly #pending = new Map<string, FoundEvent>();
  readonly #heard = new Map<string, HeardEvent>();
  readonly #toldAt = new Map<string, EpochMs>();
  #scheduled = false;

  /** @param deliver must not throw */
  constructor(deliver: (event: LogEvent) => void) {
    this.#deliver = deliver;
  }

  /** Takes the whole line. The sample is made when the event is delivered. */
  found(event: FoundEvent): void {
    const key = keyOf(event);
    const count = event.count + (this.#pending.get(key)?.count ?? 0);
    this.#pending.set(key, { ...event, count });
    if (this.#pending.size >= MAX_PENDING) this.flush();
    else this.#schedule();
  }

  heard(appliance: string | null, at: EpochMs, reliable: boolean): void {
    this.#heard.set(`${String(reliable)} ${appliance ?? ''}`, { kind: 'heard', appliance, at, reliable });
    this.#schedule();
  }

  /** Lines that are not attributed to an appliance are listed as `unnamed`. */
  lastReceivedAt(): ReadonlyMap<string, EpochMs> {
    const oldestFirst = [...this.#heard.values()].toSorted((a, b) => a.at - b.at);
    return new Map(oldestFirst.map(({ appliance, at }) => [appliance ?? UNNAMED, at]));
  }

  flush(): void {
    for (const [key, heard] of this.#heard) {
      const told = this.#toldAt.get(key);
      if (told !== undefined && Math.abs(heard.at - told) < HEARD_EVERY) continue;
      this.#toldAt.set(key, heard.at);
      this.#deliver(heard);
    }
    const entries = [...this.#pending.values()];
    this.#pending.clear();
    for (const entry of entries) this.#deliver({ ...entry, line: sampleOf(entry.line) });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}

/** A line that anybody can write is never merged into a reliable one. */
function keyOf(event: FoundEvent): string {
  const { signature, at, reliable } = event;
  const key = `${signature} ${String(Math.floor(at / GRAIN))} ${String(reliable)}`;
  if (event.kind === 'ftm') return `${key} ${event.appliance ?? ''}`;
  const { policy, profile, device } = event.evidence;
  return `${key} ${String(event.ofUnit)} ${String(policy)} ${String(profile)} ${String(device)}`;
}
