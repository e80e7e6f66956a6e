import type { Severity } from '../severity.ts';

/** A known text: what it means and what to do about it. The catalogue is data: config/fac-signatures.yaml. */
export type Signature = MessageSignature | FirewallSignature;

interface SignatureBase {
  /** Kebab-case, unique: a metric label. */
  readonly id: string;
  /** What the line by itself points to; null when it says nothing about the reason. */
  readonly cause: string | null;
  readonly severity: Severity;
  /** What the log reports in at most 27 characters, for the subject of a message: `FTM polling error (TLS)`. */
  readonly short?: string;
  /** One sentence. */
  readonly summary: string;
  /** Steps, in order. */
  readonly remedy: readonly string[];
  /** Where the text was seen. */
  readonly source: string;
}

/** A message of FortiAuthenticator. */
export interface MessageSignature extends SignatureBase {
  readonly kind: 'message';
  /**
   * Any of these: the beginning of the message, where `*` stands for anything and what follows the last part is left
   * open. One with a leading `*` may stand anywhere, and only explains: in the stream it would let the name of a user
   * who fails to log in raise an alarm. No regular expressions: matching is linear, whatever the line and the
   * catalogue. A `^` in front (behind that `*`): other products use these words too, so that a pasted line must begin
   * with them.
   */
  readonly texts: readonly string[];
  /** Log ids of FortiOS events that say the same: ten digits. */
  readonly logIds?: readonly string[];
  /** Ids of FortiAuthenticator events that mean this whatever their words, for `explain` alone: five digits. */
  readonly eventIds?: readonly string[];
  /** Known to `explain` alone: not counted in the stream, because it reports ordinary events or mistakes of one user. */
  readonly explainOnly?: boolean;
}

/** A log line of a FortiGate whose fields prove that it inspects: `subtype="ssl" action="resign-as-untrusted"`. */
export interface FirewallSignature extends SignatureBase {
  readonly kind: 'firewall';
  /** All of these fields must have these values. */
  readonly fields: Readonly<Record<string, string>>;
}

interface CompiledMessage {
  readonly signature: MessageSignature;
  readonly texts: readonly CompiledText[];
}

interface CompiledText {
  readonly anchored: boolean;
  /** Pasted, it counts only by itself. */
  readonly alone: boolean;
  readonly parts: readonly string[];
}

interface AnchoredText {
  readonly signature: MessageSignature;
  readonly text: CompiledText;
}

/** The catalogue, prepared for matching. */
export interface SignatureSet {
  readonly signatures: readonly Signature[];
  readonly byId: ReadonlyMap<string, Signature>;
  readonly messages: readonly CompiledMessage[];
  /** The texts of the messages that the stream is compared with, in order. */
  readonly anchored: readonly AnchoredText[];
  /** Those that only explain. */
  readonly explaining: readonly AnchoredText[];
  readonly firewall: readonly FirewallSignature[];
  /** By log id of a FortiOS event. */
  readonly events: ReadonlyMap<string, MessageSignature>;
  /** By id of a FortiAuthenticator event. */
  readonly applianceEvents: ReadonlyMap<string, MessageSignature>;
  /** A line of the stream that contains none of these matches nothing: the cheap test that goes first. */
  readonly needles: readonly string[];
  /** Those of the messages: see `seemsAboutActivation`. */
  readonly keywords: readonly string[];
}

const PRODUCT = 'FortiToken Mobile';
const ACTIVATION = /licen[cs]e|activat|provision/iu;
const FAILURE = /fail|error|unable|cannot|could not|invalid|denied|reject|refused|expired|timed out/iu;

/**
 * Prepares a catalogue. The order decides: the first that matches wins, so the specific ones stand before the general.
 */
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
    // Words that other products use too find a line, but do not make it one about FortiToken Mobile.
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

/** The signature of a message in the stream: as FortiAuthenticator wrote it, without its envelope. */
export function matchMessage({ anchored }: SignatureSet, message: string): MessageSignature | null {
  return anchored.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** The same for a message of which only `explain` says something. */
export function matchExplaining({ explaining }: SignatureSet, message: string): MessageSignature | null {
  return explaining.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** The same for the value of a field. Words that other products use too are not enough there. */
export function matchField(set: SignatureSet, value: string): MessageSignature | null {
  return set.anchored.find(({ text }) => !text.alone && textMatches(text, value))?.signature ?? null;
}

/** True if a line that matches nothing seems to be about FortiToken Mobile activation. */
export function seemsAboutActivation(set: SignatureSet, line: string): boolean {
  if (set.keywords.some((keyword) => line.includes(keyword))) return true;
  const at = line.indexOf(PRODUCT);
  // Users who mistype a code are not meant, nor is a success.
  return at >= 0 && ACTIVATION.test(line.slice(at)) && FAILURE.test(line.slice(at));
}

/** The same for a text that a person pasted: anywhere in it, in any case, with any white space. */
export function matchLoosely(set: SignatureSet, line: string): MessageSignature | null {
  const folded = fold(line);
  for (const { signature, texts } of set.messages) {
    if (texts.some((text) => matchesPasted(text, folded))) return signature;
  }
  return null;
}

/** The trouble that a FortiOS event tells of. */
export function matchEvent(set: SignatureSet, logId: string): MessageSignature | null {
  return set.events.get(logId) ?? null;
}

/** What an event of FortiAuthenticator with this id means. */
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

/** Words that count only by themselves begin the text, but for this. */
const OPENINGS: readonly string[] = ['', 'error', 'error:'];
/** Or they are quoted; behind "=" a quote begins the value of a field. */
const QUOTED = /(?:^|[^=])["'\u2018\u201C(]$/u;

function matchesPasted({ alone, parts }: CompiledText, folded: string): boolean {
  const words = parts.map(fold);
  const before = alone ? folded.slice(0, Math.max(0, folded.indexOf(words[0] ?? ''))) : '';
  return (OPENINGS.includes(before.trimEnd()) || QUOTED.test(before.slice(-2))) && holdsAll(words, folded);
}

/** In this order. */
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
 * The beginning, which many texts share, from its first capital letter on: capitals are rare in log lines, so a search
 * for needles that all begin with one skips most of the input, five times as fast as with a single one that does not.
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

/** "FTM polling error" finds every line that "FTM polling error: connection" would. */
function withoutCovered(needles: readonly string[]): readonly string[] {
  return needles.filter(
    (needle) => needle !== '' && !needles.some((other) => other !== needle && other !== '' && needle.includes(other)),
  );
}
