/** Node's advice about its own options, which ftm-watch does not accept. */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca\b/gu;

export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutAdvice(error.message) : String(error);
}

export function withoutAdvice(message: string): string {
  return message.replaceAll(ADVICE, '');
}
