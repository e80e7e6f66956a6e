import type { Severity } from '../severity.ts';

/** A known log message with its meaning and remedy, from the catalogue config/fac-signatures.yaml. */
export type Signature = MessageSignature | FirewallSignature;

interface SignatureBase {
  /** Unique ID in kebab case, used as a metric label. */
  readonly id: string;
  /** The cause that the line indicates on its own. Null if the line does not indicate a cause. */
  readonly cause: string | null;
  readonly severity: Severity;
  /**
   * Short form of the signature for the subject of a message, at most 27 characters, for example `FTM polling error
   * (TLS)`.
   */
  readonly short?: string;
  /** Description in one sentence. */
  readonly summary: string;
  /** Steps to fix the problem, in order. */
  readonly remedy: readonly string[];
  /** Reference to where the text was found. */
  readonly source: string;
}

/** A message that FortiAuthenticator logs. */
export interface MessageSignature extends SignatureBase {
  readonly kind: 'message';
  /**
   * Alternative texts. Each text is the beginning of a message, and `*` matches anything. A text with a leading `*`
   * matches anywhere and is used only for `explain`. In the log stream, such a text could match the name of a user who
   * fails to log in, and cause a false alarm. Regular expressions are not supported, so that matching always takes
   * linear
   * time. A `^` at the front (after `*`, if present) marks words that other products also use. A pasted line must begin
   * with these words.
   */
  readonly texts: readonly string[];
  /** Log IDs of FortiOS events with the same meaning. They have ten digits. */
  readonly logIds?: readonly string[];
  /**
   * IDs of FortiAuthenticator events with this meaning, regardless of their text. Event IDs have five digits and are
   * used only for `explain`.
   */
  readonly eventIds?: readonly string[];
  /**
   * Whether the signature is used only for `explain`. In the log stream, it would count ordinary events or mistakes of
   * a
   * single user.
   */
  readonly explainOnly?: boolean;
}

/** A FortiGate log line whose fields prove inspection, for example `subtype="ssl" action="resign-as-untrusted"`. */
export interface FirewallSignature extends SignatureBase {
  readonly kind: 'firewall';
  /** Fields and their values. All of them must match. */
  readonly fields: Readonly<Record<string, string>>;
}

interface CompiledMessage {
  readonly signature: MessageSignature;
  readonly texts: readonly CompiledText[];
}

interface CompiledText {
  readonly anchored: boolean;
  /** Whether the text must be at the beginning or in quotes if the line was pasted. */
  readonly alone: boolean;
  readonly parts: readonly string[];
}

interface AnchoredText {
  readonly signature: MessageSignature;
  readonly text: CompiledText;
}

/** The catalogue in a form that is compiled for matching. */
export interface SignatureSet {
  readonly signatures: readonly Signature[];
  readonly byId: ReadonlyMap<string, Signature>;
  readonly messages: readonly CompiledMessage[];
  /** Texts that are compared with messages in the log stream, in order. */
  readonly anchored: readonly AnchoredText[];
  /** Texts that are used only for `explain`. */
  readonly explaining: readonly AnchoredText[];
  readonly firewall: readonly FirewallSignature[];
  /** Signatures by FortiOS log ID. */
  readonly events: ReadonlyMap<string, MessageSignature>;
  /** Signatures by FortiAuthenticator event ID. */
  readonly applianceEvents: ReadonlyMap<string, MessageSignature>;
  /**
   * A line in the log stream that contains none of these texts cannot match. The fast search for needles is done first.
   */
  readonly needles: readonly string[];
  /** The needles of FortiAuthenticator messages, used in `seemsAboutActivation`. */
  readonly keywords: readonly string[];
}

const PRODUCT = 'FortiToken Mobile';
const ACTIVATION = /licen[cs]e|activat|provision/iu;
const FAILURE = /fail|error|unable|cannot|could not|invalid|denied|reject|refused|expired|timed out/iu;

/** Compiles a catalogue. The first match is used, so specific signatures must precede general signatures. */
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
    // Words that other products also use can help to find a line, but they do not show that it is about FortiToken
    // Mobile.
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

/** Returns the signature of a message in the log stream. The message must not include the syslog header. */
export function matchMessage({ anchored }: SignatureSet, message: string): MessageSignature | null {
  return anchored.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** Like {@link matchMessage}, for messages that are used only for `explain`. */
export function matchExplaining({ explaining }: SignatureSet, message: string): MessageSignature | null {
  return explaining.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** Like {@link matchMessage}, for the value of a field. Words that other products also use do not match. */
export function matchField(set: SignatureSet, value: string): MessageSignature | null {
  return set.anchored.find(({ text }) => !text.alone && textMatches(text, value))?.signature ?? null;
}

/** Reports whether a line without a matching signature seems to be about FortiToken Mobile activation. */
export function seemsAboutActivation(set: SignatureSet, line: string): boolean {
  if (set.keywords.some((keyword) => line.includes(keyword))) return true;
  const at = line.indexOf(PRODUCT);
  // Mistyped codes and successful activations are excluded.
  return at >= 0 && ACTIVATION.test(line.slice(at)) && FAILURE.test(line.slice(at));
}

/**
 * Like {@link matchMessage}, for pasted text. Matches at any position, and ignores case and the amount of white space.
 */
export function matchLoosely(set: SignatureSet, line: string): MessageSignature | null {
  const folded = fold(line);
  for (const { signature, texts } of set.messages) {
    if (texts.some((text) => matchesPasted(text, folded))) return signature;
  }
  return null;
}

/** Returns the signature of a FortiOS event. */
export function matchEvent(set: SignatureSet, logId: string): MessageSignature | null {
  return set.events.get(logId) ?? null;
}

/** Returns the signature of a FortiAuthenticator event ID. */
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

/** Texts that are allowed before words that must be at the beginning. */
const OPENINGS: readonly string[] = ['', 'error', 'error:'];
/**
 * Text before an opening quote. Words that must be at the beginning can also be in quotes, except after "=", because a
 * quote after "=" opens the value of a field.
 */
const QUOTED = /(?:^|[^=])["'\u2018\u201C(]$/u;

function matchesPasted({ alone, parts }: CompiledText, folded: string): boolean {
  const words = parts.map(fold);
  const before = alone ? folded.slice(0, Math.max(0, folded.indexOf(words[0] ?? ''))) : '';
  return (OPENINGS.includes(before.trimEnd()) || QUOTED.test(before.slice(-2))) && holdsAll(words, folded);
}

/** Reports whether the message contains all parts in the given order. */
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
 * Returns the part of a text that starts at its first capital letter. Capital letters are rare in log lines. If all
 * needles begin with a capital letter, the search is five times as fast.
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

/**
 * Removes redundant needles. For example, "FTM polling error" finds every line that contains "FTM polling error:
 * connection".
 */
function withoutCovered(needles: readonly string[]): readonly string[] {
  return needles.filter(
    (needle) => needle !== '' && !needles.some((other) => other !== needle && other !== '' && needle.includes(other)),
  );
}
