/**
 * Makes untrusted text safe to display. Control characters are written as `\u{…}`. Characters that reorder or hide the
 * surrounding text are also written in this way (bidirectional overrides, zero-width characters, lone surrogates). Text
 * that is longer than `limit` characters is cut and ends in `…`.
 */
export function visibleText(text: string, limit: number): string {
  const shown = text.slice(0, limit + 1).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, escapeCharacter);
  // If a surrogate pair was cut in half, the remaining half is removed.
  return shown.length > limit ? `${shown.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…` : shown;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}

/** Cuts text to at most `bytes` bytes of UTF-8 (at least three), without splitting a character. */
export function cutToBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= bytes) return text;
  // A partial character at the end is decoded as U+FFFD, which takes three bytes.
  return whole
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\u{FFFD}$/u, '');
}

/** The placeholder uses angle quotes, because the text can be inserted into HTML that is already escaped. */
const PLACE = '‹secret›';
/** Minimum length of base64 or hexadecimal text to remove. Shorter texts occur by chance. */
const SHORTEST_CODED = 6;

/**
 * Removes secrets from a peer's text. A server can quote a rejected login or request that contains secrets. Each secret
 * is removed in every form that it can have in a header, a URL, JSON, HTML or bytes. Call this function before the text
 * is cut, because a partial secret would not be found.
 *
 * @param secrets the secrets that were sent; for a login, include the transmitted text, such as `user:password`
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return createSecretFilter(secrets)(text);
}

/** Returns a function that works like {@link withoutSecrets} and can be used for many texts. */
export function createSecretFilter(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  if (forms.size === 0) return (text) => text;
  // The longest secrets are first, because one secret can be part of another secret.
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
 * Returns the secret as it appears in the middle of base64 text. There are three possible alignments. For each
 * alignment,
 * only characters that depend on nothing but the secret are used.
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
