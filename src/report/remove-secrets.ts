/** Shorter ones, and words such as "fortinet", stand in a report for other reasons: taken out, they would spoil it and give themselves away. */
const SHORTEST_SECRET = 8;
const WORD = /^\p{L}{1,15}$/u;
const PLACE = '‹secret›';

/**
 * The last look at a finished text before it leaves the house: a secret that a peer sent back, say in an error page, is taken out in
 * every form in which it may stand in HTML, JSON, a URL or a header.
 *
 * @param secrets all that the configuration knows; short ones and plain words are left alone
 */
export function createSecretRemover(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret.length >= SHORTEST_SECRET && !WORD.test(secret)).flatMap(formsOf));
  // The longest first: one may be the beginning of another.
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, form) => rest.replaceAll(form, PLACE), text);
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    escapedForHtml(secret),
    encodeURIComponent(secret.toWellFormed()),
    ...inBase64(bytes),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
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

function escapedForHtml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/gu, (character) => names[character] ?? character);
}
