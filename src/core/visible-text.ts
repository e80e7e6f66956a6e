/**
 * Makes untrusted text safe to display. Control characters, and characters that reorder or hide the surrounding text
 * (bidirectional overrides, zero-width characters, lone surrogates), are written as `\u{…}`. Text that is longer than
 * `limit` is cut and ends with "…".
 */
export function visibleText(text: string, limit: number): string {
  const shown = text.slice(0, limit + 1).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, escapeCharacter);
  // If truncation split a surrogate pair, the remaining half is removed.
  return shown.length > limit ? `${shown.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…` : shown;
}

/** As `visibleText`, but cut after a word, unless there is only one. */
export function cutAtWord(text: string, limit: number): string {
  const shown = visibleText(text, limit);
  if (visibleText(text, Infinity).length <= limit) return shown;
  const words = /^(.+?)[\s.,:;_-]+[^\s.,:;_-]*…$/u.exec(shown)?.[1];
  return words === undefined ? shown : `${words}…`;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}

/** Fortinet's status page. Remedies refer to this page, so its links are kept. */
const STATUS_PAGE = 'https://status.fortistatus.com/';

/**
 * Prevents chat services and GitHub from turning untrusted text into mentions, references and links. Escaping is not
 * sufficient, because these services also search the displayed text. Inserts zero-width spaces, so call this function
 * after `visibleText`.
 */
export function unlinked(text: string): string {
  return text
    .replaceAll(/@|#(?=[\p{L}\p{N}])|\bGH(?=-\d)|:(?=\/\/)|\bwww(?=\.)/giu, '$&\u200B')
    .replaceAll(STATUS_PAGE.replace(':', ':\u200B'), STATUS_PAGE);
}

/** `bytes` must be at least three. */
export function cutToBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= bytes) return text;
  // A partial character at the end is decoded as U+FFFD, which is three bytes long in UTF-8.
  return whole
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\u{FFFD}$/u, '');
}

export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** For example `once` or `3 times`. */
export function timesText(count: number): string {
  return count === 1 ? 'once' : counted(count, 'time');
}

const MOST_NAMES = 8;

/** If there are more than `most` names, only the first ones and the number of remaining names are listed. */
export function nameList(names: readonly string[], most = MOST_NAMES, separator = ', '): string {
  if (names.length <= most) return names.join(separator);
  return `${names.slice(0, most - 1).join(separator)} and ${String(names.length - most + 1)} more`;
}

/** Written in angle quotes, because the text can be inserted into HTML that is already escaped. */
const PLACE = '‹secret›';
/** Shorter base64 or hexadecimal sequences can occur by chance. */
const SHORTEST_CODED = 6;

/**
 * A peer can quote a rejected login or request. Each secret is removed in all encodings that are used in headers, URLs,
 * JSON, HTML and bytes. Call this function before the text is truncated, because a partial secret would not be found.
 * @param secrets for a login, include the transmitted text, such as `user:password`
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return createSecretFilter(secrets)(text);
}

export function createSecretFilter(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  if (forms.size === 0) return (text) => text;
  // One secret can be part of another, so longer secrets are removed first.
  const ordered = [...forms].toSorted((left, right) => right.length - left.length);
  const pattern = new RegExp(ordered.map(literal).join('|'), 'gu');
  return (text) => text.replace(pattern, PLACE);
}

function literal(form: string): string {
  return form.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const base64 = bytes.toString('base64');
  const hex = bytes.toString('hex');
  const pieces = [...inBase64(bytes), hex, hex.toUpperCase()];
  return [
    secret,
    escapedForJson(secret),
    escapedForHtml(secret),
    encodeURIComponent(secret.toWellFormed()),
    // Old servers and protocols interpret bytes as Latin-1.
    bytes.toString('latin1'),
    base64,
    base64.replace(/=+$/u, ''),
    ...pieces.filter((piece) => piece.length >= SHORTEST_CODED),
  ];
}

/**
 * Returns the forms that the secret can have in the middle of base64 text, one for each of the three possible
 * alignments. Each form contains only the characters that depend on the secret alone.
 */
function inBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/u, '');
    const first = offset === 0 ? 0 : offset + 1;
    const bits = 8 * (offset + bytes.length);
    return whole.slice(first, Math.floor(bits / 6));
  });
}

function escapedForJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

export function escapedForHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/gu, (character) => names[character] ?? character);
}
