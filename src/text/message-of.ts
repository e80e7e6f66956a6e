/** Node adds it to OpenSSL's words; the options of Node are not those of this program. */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca\b/gu;

/** What an error says, without advice about Node; of anything else that was thrown, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutAdvice(error.message) : String(error);
}

export function withoutAdvice(message: string): string {
  return message.replaceAll(ADVICE, '');
}
