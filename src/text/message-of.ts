/** Node appends this advice to OpenSSL's message, but Node's options are not options of ftm-watch. */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca\b/gu;

/** Returns an error's message without advice about Node. For any other thrown value, returns its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutAdvice(error.message) : String(error);
}

export function withoutAdvice(message: string): string {
  return message.replaceAll(ADVICE, '');
}
