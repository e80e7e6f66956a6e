import type { z } from 'zod';

/** For example `targets.a.leaves: expected exactly one certificate in PEM format`. */
export function issueTexts(error: z.ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`);
}
