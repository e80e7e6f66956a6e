import type { Severity } from '../severity.ts';

/** An entry of config/fac-signatures.yaml. */
export type Signature = MessageSignature | FirewallSignature;

interface SignatureBase {
  /** In kebab case. Used as the value of a metric label. */
  readonly id: string;
  /** Null if the line alone does not indicate a cause. */
  readonly cause: string | null;
  readonly severity: Severity;
  /** For a mail subject, at most 27 characters, for example `FTM polling error (TLS)`. */
  readonly short?: string;
  readonly summary: string;
  readonly remedy: readonly string[];
  /** Publication in which the message was found. */
  readonly source: string;
}

export interface MessageSignature extends SignatureBase {
  readonly kind: 'message';
  /**
   * Alternative beginnings of a message, in which `*` matches anything. A pattern with a leading `*` is used only for
   * `explain`, because in the log stream, it could match the name of a user who fails to log in. Regular expressions
   * are not supported, so that matching takes linear time. A `^` at the front (after `*`, if present) marks words that
   * other products also use. A pasted line must begin with these words.
   */
  readonly texts: readonly string[];
  /** Ten-digit IDs of FortiOS events that have the same meaning. */
  readonly logIds?: readonly string[];
  /**
   * Five-digit IDs of FortiAuthenticator events that have this meaning regardless of their message. Used only for
   * `explain`.
   */
  readonly eventIds?: readonly string[];
  /** In the log stream, the signature would also count ordinary events or a single user's mistakes. */
  readonly explainOnly?: boolean;
}

/** A FortiGate log line that proves inspection, for example `subtype="ssl" action="resign-as-untrusted"`. */
export interface FirewallSignature extends SignatureBase {
  readonly kind: 'firewall';
  /** All fields must match. */
  readonly fields: Readonly<Record<string, string>>;
}

interface CompiledMessage {
  readonly signature: MessageSignature;
  readonly texts: readonly CompiledText[];
}

interface CompiledText {
  readonly anchored: boolean;
  /** In a pasted line, the pattern must be at the beginning or in quotes. */
  readonly alone: boolean;
  readonly parts: readonly string[];
}

interface AnchoredText {
  readonly signature: MessageSignature;
  readonly text: CompiledText;
}

export interface SignatureSet {
  readonly signatures: readonly Signature[];
  readonly byId: ReadonlyMap<string, Signature>;
  readonly messages: readonly CompiledMessage[];
  /** For the log stream, in matching order. */
  readonly anchored: readonly AnchoredText[];
  /** Used only for `explain`. */
  readonly explaining: readonly AnchoredText[];
  readonly firewall: readonly FirewallSignature[];
  /** By FortiOS log ID. */
  readonly events: ReadonlyMap<string, MessageSignature>;
  /** By FortiAuthenticator event ID. */
  readonly applianceEvents: ReadonlyMap<string, MessageSignature>;
  /** A line that contains none of these strings cannot match, so this fast search is run first. */
  readonly needles: readonly string[];
  /** Search strings from FortiAuthenticator messages, used in `seemsAboutActivation`. */
  readonly keywords: readonly string[];
}

const PRODUCT = 'FortiToken Mobile';
const ACTIVATION = /licen[cs]e|activat|provision/iu;
const FAILURE = /fail|error|unable|cannot|could not|invalid|denied|reject|refused|expired|timed out/iu;

/** The first match is used, so specific signatures must precede general signatures. */
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
    // Words that other products also use can help to find a line, but do not show that it is about FortiToken Mobile.
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

/** `texts` is `anchored` or `explaining` of a signature set. The message must not include the syslog header. */
export function matchMessage(texts: readonly AnchoredText[], message: string): MessageSignature | null {
  return texts.find(({ text }) => textMatches(text, message))?.signature ?? null;
}

/** Matches a log field's value. Words that other products also use are not matched here. */
export function matchField(set: SignatureSet, value: string): MessageSignature | null {
  return set.anchored.find(({ text }) => !text.alone && textMatches(text, value))?.signature ?? null;
}

/** For lines without a matching signature. */
export function seemsAboutActivation(set: SignatureSet, line: string): boolean {
  if (set.keywords.some((keyword) => line.includes(keyword))) return true;
  const at = line.indexOf(PRODUCT);
  // Mistyped codes and successful activations are excluded.
  return at >= 0 && ACTIVATION.test(line.slice(at)) && FAILURE.test(line.slice(at));
}

/** For pasted text. Patterns match at any position. Case and the amount of white space are ignored. */
export function matchLoosely(set: SignatureSet, line: string): MessageSignature | null {
  const folded = fold(line);
  for (const { signature, texts } of set.messages) {
    if (texts.some((text) => matchesPasted(text, folded))) return signature;
  }
  return null;
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

/** Text that may precede words that must be at the beginning. */
const OPENINGS: readonly string[] = ['', 'error', 'error:'];
/**
 * Words that must be at the beginning may also follow an opening quote, except after "=", where the quote opens a
 * field's value.
 */
const QUOTED = /(?:^|[^=])["'\u2018\u201C(]$/u;

function matchesPasted({ alone, parts }: CompiledText, folded: string): boolean {
  const words = parts.map(fold);
  const before = alone ? folded.slice(0, Math.max(0, folded.indexOf(words[0] ?? ''))) : '';
  return (OPENINGS.includes(before.trimEnd()) || QUOTED.test(before.slice(-2))) && holdsAll(words, folded);
}

function holdsAll(parts: readonly string[], message: string): boolean {
  let from = 0;
  for (const part of parts) {
    from = endOf(part, message, from);
    if (from < 0) return false;
  }
  return parts.length > 0;
}

/** Negative if the part is missing. "error -3" is not part of "error -31". */
function endOf(part: string, message: string, from: number): number {
  const isNumber = isDigit(part.at(-1));
  for (let at = message.indexOf(part, from); at >= 0; at = message.indexOf(part, at + 1)) {
    const end = at + part.length;
    if (!isNumber || !isDigit(message[end])) return end;
  }
  return -1;
}

function isDigit(character = ''): boolean {
  return character >= '0' && character <= '9';
}

function fold(text: string): string {
  return text.toLowerCase().replace(/\s+/gu, ' ');
}

const SHORTEST_NEEDLE = 4;

/**
 * Returns a search string that starts at the pattern's first capital letter. Capital letters are rare in log lines, so
 * the search is five times as fast if all search strings begin with one.
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

/** For example, "FTM polling error" also finds every line that contains "FTM polling error: connection". */
function withoutCovered(needles: readonly string[]): readonly string[] {
  return needles.filter(
    (needle) => needle !== '' && !needles.some((other) => other !== needle && other !== '' && needle.includes(other)),
  );
}
