/**
 * Text from a stranger made safe to show: control characters, and those that turn or hide what stands beside them
 * (bidirectional overrides, zero-width ones, lone surrogates), are written as `\u{…}`; what is longer than `limit`
 * characters ends in `…`.
 */
export function visibleText(text: string, limit: number): string {
  const shown = text.slice(0, limit + 1).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, escapeCharacter);
  // A pair of surrogates that the cut has halved is no character any more.
  return shown.length > limit ? `${shown.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…` : shown;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}

/** At most so many bytes of UTF-8, three at least, and no half of a character. */
export function cutToBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= bytes) return text;
  // Half a character at the end is read as U+FFFD, of three bytes.
  return whole
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\u{FFFD}$/u, '');
}

/** Angle quotes, not brackets: it may be put into HTML that is finished. */
const PLACE = '‹secret›';
/** A shorter piece of base64 or hex stands in many texts by chance. */
const SHORTEST_CODED = 6;

/**
 * What a peer says, without the secrets that it was sent: a server may quote a refused login or a request. Each is
 * taken out in every form in which it may stand in a header, a URL, JSON, HTML or bytes. To be done before the text is
 * cut: half a secret would not be found.
 *
 * @param secrets what was sent; for a login also the text that goes over the line, such as `user:password`
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return createSecretFilter(secrets)(text);
}

/** The same for many texts. */
export function createSecretFilter(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  if (forms.size === 0) return (text) => text;
  // The longest first: one may be a part of another.
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
    // Old servers and their protocols take bytes for Latin-1.
    bytes.toString('latin1'),
    base64,
    base64.replace(/=+$/u, ''),
    ...pieces.filter((piece) => piece.length >= SHORTEST_CODED),
  ];
}

/** As the middle of any text in base64: of the three ways to be cut, the characters that only the secret decides. */
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

function escapedForHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/gu, (character) => names[character] ?? character);
}
