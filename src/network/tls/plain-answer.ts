/** Longest text that is kept of an answer that was not TLS. */
const MAX_TEXT = 512;

/** Content types of TLS records, RFC 8446 §5.1: change_cipher_spec to application_data, and heartbeat (RFC 6520). */
const FIRST_CONTENT_TYPE = 20;
const LAST_CONTENT_TYPE = 24;

/** Whether an answer begins as a TLS record does; an empty one counts as TLS, since it says nothing else. */
export function beginsAsTls(bytes: Uint8Array): boolean {
  const [type, major] = bytes;
  if (type === undefined) return true;
  if (type < FIRST_CONTENT_TYPE || type > LAST_CONTENT_TYPE) return false;
  return major === undefined || major === 3;
}

/**
 * What an answer that was not TLS says, as one line of printable ASCII, 512 characters at most. Of HTML the
 * readable text is kept, since block pages begin with kilobytes of style sheet.
 */
export function readableText(bytes: Uint8Array): string {
  return readableLine(Buffer.from(bytes).toString('latin1'));
}

/** The same of text. */
export function readableLine(text: string): string {
  return text
    .replaceAll(/<(style|script)\b[^>]*>[^<]*(?:<\/\1\s*>)?/giu, ' ')
    .replaceAll(/<!--(?:[^-]|-(?!->))*(?:-->)?/gu, ' ')
    .replaceAll(/<[!/a-z][^<>]*>/giu, ' ')
    .replaceAll(/[\s]+/gu, ' ')
    .replaceAll(/[^ -~]/gu, '.')
    .trim()
    .slice(0, MAX_TEXT);
}
