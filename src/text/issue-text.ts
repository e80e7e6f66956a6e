import type { z } from 'zod';

/**
 * Returns validation problems with their positions in a file, for example `targets.a.leaves: expected exactly one
 * certificate in PEM format`.
 */
export function issueTexts(error: z.ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`);
}
