/**
 * Advice that Node appends to OpenSSL's messages. The advice is removed, because ftm-watch does not accept Node's
 * options.
 */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca\b/gu;

/**
 * Returns an error's message without advice about Node options. For any other thrown value, returns the value as text.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutAdvice(error.message) : String(error);
}

export function withoutAdvice(message: string): string {
  return message.replaceAll(ADVICE, '');
}
