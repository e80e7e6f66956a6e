import type { z } from 'zod';

/** What is wrong with a file, each with its place in it: `targets.a.leaves: expected one certificate as PEM`. */
export function issueTexts(error: z.ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`);
}
