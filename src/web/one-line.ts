import * as z from 'zod';
import { visibleText } from '../core/visible-text.ts';
import { showValue } from '../text/show.ts';

/** Text of one line that somebody has typed. */
export function oneLine(longest: number): z.ZodType<string> {
  return z
    .string(expected('a text'))
    .refine(
      (text) => text.trim() !== '' && text.length <= longest,
      `expected a text of 1 to ${String(longest)} characters`,
    )
    .refine(
      (text) => visibleText(text, text.length) === text,
      'expected a text of one line, without invisible characters',
    );
}

/** The message about a value of another kind. */
export function expected(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: ({ input }) => (input === undefined ? `expected ${what}` : `expected ${what}, got ${showValue(input)}`),
  };
}
