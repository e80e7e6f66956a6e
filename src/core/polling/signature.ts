import type { Severity } from '../severity.ts';

/** A known text, its meaning and its remedy. The catalogue is data: config/fac-signatures.yaml. */
export type Signature = MessageSignature | FirewallSignature;

interface SignatureBase {
  /** Unique, in kebab-case. A metric label. */
  readonly id: string;
  /** The cause that the line alone points to. Null if it does not reveal the cause. */
  readonly cause: string | null;
  readonly severity: Severity;
  /** Short form of the report, at most 27 characters, for the subject of a message: `FTM polling error (TLS)`. */
  readonly short?: string;
  /** One sentence. */
  readonly summary: string;
  /** Steps, in order. */
  readonly remedy: readonly string[];
  /** Where the text was seen. */
  readonly source: string;
}

/** A FortiAuthenticator message. */
export interface MessageSignature extends SignatureBase {
  readonly kind: 'message';
  /**
   * Alternative texts. Each is the beginning of the message, in which `*` matches anything and the end is open. A text
   * with a leading `*` matches anywhere and is used only for `explain`: in the stream, it would let the name of a user
   * who fails to log in raise an alarm. There are no regular expressions, so that matching is linear for every line and
   * catalogue. A `^` at the front (after that `*`) marks words that other products use too, so that a pasted line must
   * begin with them.
   */
  readonly texts: readonly string[];
  /** Log ids of FortiOS events with the same meaning. Ten digits. */
  readonly logIds?: readonly string[];
  /**
   * Ids of FortiAuthenticator events that have this meaning regardless of their text, only for `explain`. Five digits.
   */
  readonly eventIds?: readonly string[];
  /**
   * Used only for `explain`. Not counted in the stream, because it reports ordinary events or mistakes of a single
   * user.
   */
  readonly explainOnly?: boolean;
}

/** A FortiGate log line whose fields prove that it inspects: `subtype="ssl" action="resign-as-untrusted"`. */
export interface FirewallSignature extends SignatureBase {
  readonly kind: 'firewall';
  /** Fields that must all have these values. */
  readonly fields: Readonly<Record<string, string>>;
}

interface CompiledMessage {
  readonly signature: MessageSignature;
  readonly texts: readonly CompiledText[];
}

interface CompiledText {
  readonly anchored: boolean;
  /** In pasted text, it must be at the beginning or in quotes. */
  readonly alone: boolean;
  readonly parts: readonly string[];
}

interface AnchoredText {
  readonly signature: MessageSignature;
  readonly text: CompiledText;
}

/** The catalogue, compiled for matching. */
export interface SignatureSet {
  readonly signatures: readonly Signature[];
  readonly byId: ReadonlyMap<string, Signature>;
  readonly messages: readonly CompiledMessage[];
  /** Texts that are compared with messages in the stream, in order. */
  readonly anchored: readonly AnchoredText[];
  /** Texts that are used only for `explain`. */
  readonly explaining: readonly AnchoredText[];
  readonly firewall: readonly FirewallSignature[];
  /** By FortiOS log id. */
  readonly events: ReadonlyMap<string, MessageSignature>;
  /** By FortiAuthenticator event id. */
  readonly applianceEvents: ReadonlyMap<string, MessageSignature>;
  /** A line in the stream that contains none of these matches nothing. This cheap test comes first. */
  readonly needles: readonly string[];
  /** The needles of messages, used in `seemsAboutActivation`. */
  readonly keywords: readonly string[];
}

const PRODUCT = 'FortiToken Mobile';
const ACTIVATION = /licen[cs]e|activat|provision/iu;
const FAILURE = /fail|error|unable|cannot|could not|invalid|denied|reject|refused|expired|timed out/iu;

/** Compiles a catalogue. The first match wins, so specific signatures must precede general ones. */
export function compileSignatures(signatures: readonly Signature[]): SignatureSet {
  const messages: CompiledMessage[] = [];
  const firewall: FirewallSignature[] = [];
  const events = new Map<string, MessageSignature>();
  const keywords = new Set<string>();
  const others = new Set<string>();
  for (const signature of signatures) {
    if (signature.kind === 'firewall') {
      firewall.push(signature);
      others.add(fieldNeedle(signature.fields));
      continue;
    }
    const texts = signature.texts.map(compileText);
    messages.push({ signature, texts });
    if (signature.explainOnly === true) continue;
    // Words that other products use too can find a line, but they don't show that it is about FortiToken Mobile.
    for (const text of texts) if (text.anchored) (text.alone ? others : keywords).add(needleOf(text));
    for (const logId of signature.logIds ?? []) {
      if (!events.has(logId)) events.set(logId, signature);
      others.add(fieldNeedle({ logid: logId }));
    }
  }
  return {
    signatures,
    byId: new Map(signatures.map((signature) => [signature.id, signature])),
    messages,
    anchored: anchoredTexts(messages.filter(({ signature }) => signature.explainOnly !== true)),
    explaining: anchoredTexts(messages.filter(({ signature }) => signature.explainOnly === true)),
    firewall,
    events,
    applianceEvents: new Map(
      messages
        .toReversed()
        .flatMap(({ signature }) => (signature.eventIds ?? []).map((id) => [id, signature] as const)),
    ),
    needles: withoutCovered([...keywords, ...others, PRODUCT]),
    keywords: withoutCovered([...keywords]),
  };
}

function anchoredTexts(messages: readonly CompiledMessage[]): readonly AnchoredText[] {
  return messages.flatMap(({ signature, texts }) =>
    texts.filter(({ anchored }) => anchored).map((text) => ({ signature, text })),
  );
}

/** Returns the signature of a message in the stream, as FortiAuthenticator wrote it, without its envelope. */
export function matchMessage({ anchored }: SignatureSet, message: string): MessageSignature | null {
  return anchored.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** Like {@link matchMessage}, for messages that only `explain` covers. */
export function matchExplaining({ explaining }: SignatureSet, message: string): MessageSignature | null {
  return explaining.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** Like {@link matchMessage}, for the value of a field. Words that other products use too don't match there. */
export function matchField(set: SignatureSet, value: string): MessageSignature | null {
  return set.anchored.find(({ text }) => !text.alone && textMatches(text, value))?.signature ?? null;
}

/** Reports whether a line that matches nothing seems to be about FortiToken Mobile activation. */
export function seemsAboutActivation(set: SignatureSet, line: string): boolean {
  if (set.keywords.some((keyword) => line.includes(keyword))) return true;
  const at = line.indexOf(PRODUCT);
  // Mistyped codes and successful activations are excluded.
  return at >= 0 && ACTIVATION.test(line.slice(at)) && FAILURE.test(line.slice(at));
}

/** Like {@link matchMessage}, for pasted text: matches anywhere, ignoring case and the amount of white space. */
export function matchLoosely(set: SignatureSet, line: string): MessageSignature | null {
  const folded = fold(line);
  for (const { signature, texts } of set.messages) {
    if (texts.some((text) => matchesPasted(text, folded))) return signature;
  }
  return null;
}

/** Returns the signature for a FortiOS event. */
export function matchEvent(set: SignatureSet, logId: string): MessageSignature | null {
  return set.events.get(logId) ?? null;
}

/** Returns the signature for a FortiAuthenticator event id. */
export function matchApplianceEvent(set: SignatureSet, eventId: string): MessageSignature | null {
  return set.applianceEvents.get(eventId) ?? null;
}

export function matchFirewall(set: SignatureSet, fields: ReadonlyMap<string, string>): FirewallSignature | null {
  return (
    set.firewall.find((signature) =>
      Object.entries(signature.fields).every(([key, value]) => fields.get(key) === value),
    ) ?? null
  );
}

function compileText(text: string): CompiledText {
  const anchored = !text.startsWith('*');
  const alone = text.startsWith('^', anchored ? 0 : 1);
  const words = alone ? text.replace('^', '') : text;
  return { anchored, alone, parts: words.split('*').filter((part) => part.trim() !== '') };
}

function textMatches({ anchored, parts }: Pick<CompiledText, 'anchored' | 'parts'>, message: string): boolean {
  return (!anchored || message.startsWith(parts[0] ?? '')) && holdsAll(parts, message);
}

/** Text that is allowed in front of words that must be at the beginning. */
const OPENINGS: readonly string[] = ['', 'error', 'error:'];
/** Alternatively, such words can be in quotes. After "=", a quote opens the value of a field. */
const QUOTED = /(?:^|[^=])["'\u2018\u201C(]$/u;

function matchesPasted({ alone, parts }: CompiledText, folded: string): boolean {
  const words = parts.map(fold);
  const before = alone ? folded.slice(0, Math.max(0, folded.indexOf(words[0] ?? ''))) : '';
  return (OPENINGS.includes(before.trimEnd()) || QUOTED.test(before.slice(-2))) && holdsAll(words, folded);
}

/** Reports whether the message contains all parts in this order. */
function holdsAll(parts: readonly string[], message: string): boolean {
  let from = 0;
  for (const part of parts) {
    const at = message.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return parts.length > 0;
}

function fold(text: string): string {
  return text.toLowerCase().replace(/\s+/gu, ' ');
}

const SHORTEST_NEEDLE = 4;

/**
 * Returns the needle of a text, starting at its first capital letter. Capitals are rare in log lines, so a search for
 * needles that all begin with one skips most of the input. It is five times as fast as with a single needle that
 * doesn't.
 */
function needleOf({ parts }: CompiledText): string {
  const fromCapital = parts.map((part) => part.slice(Math.max(0, part.search(/[A-Z]/u))));
  return fromCapital.find((part) => part.length >= SHORTEST_NEEDLE && /^[A-Z]/u.test(part)) ?? longest(parts);
}

function fieldNeedle(fields: Readonly<Record<string, string>>): string {
  const [first] = Object.entries(fields);
  return first === undefined ? '' : `${first[0]}="${first[1]}"`;
}

function longest(parts: readonly string[]): string {
  return parts.reduce((best, part) => (part.length > best.length ? part : best), '');
}

/** Removes redundant needles: "FTM polling error" finds every line that "FTM polling error: connection" would find. */
function withoutCovered(needles: readonly string[]): readonly string[] {
  return needles.filter(
    (needle) => needle !== '' && !needles.some((other) => other !== needle && other !== '' && needle.includes(other)),
  );
}
