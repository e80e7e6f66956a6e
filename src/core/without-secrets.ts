const PLACE = '<secret>';

/**
 * What a peer says, without the secrets that it was sent: a server may quote a refused login or a request. Each is taken out as it is, in
 * base64, as in a URL and as in JSON. To be done before the text is cut: half a secret would not be found.
 *
 * @param secrets what was sent; for a login also the text that goes over the line, such as `user:password`
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return createSecretFilter(secrets)(text);
}

/** The same for many texts. */
export function createSecretFilter(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  // The longest first: one may be a part of another.
  const ordered = [...forms].toSorted((left, right) => right.length - left.length);
  return (text) => ordered.reduce((rest, form) => rest.replaceAll(form, PLACE), text);
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const base64 = bytes.toString('base64');
  // Old servers and their protocols take bytes for Latin-1.
  return [secret, base64, base64.replace(/=+$/u, ''), encodeURIComponent(secret.toWellFormed()), escaped(secret), bytes.toString('latin1')];
}

function escaped(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}
