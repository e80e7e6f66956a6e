import * as z from 'zod';
import { oneLine } from './one-line.ts';
import { MAX_COMMENT, MAX_NAME } from './silence-request.ts';

/** What a form of an incident's page may hold. */
export interface IncidentForm {
  /** A claim; null: none is made. */
  readonly by: string | null;
  readonly comment: string | null;
  /** As typed: a silence says what is wrong with it. */
  readonly duration: string | null;
}

export type ReadIncidentForm =
  | { readonly kind: 'ok'; readonly form: IncidentForm }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Reads what a browser sends as `application/x-www-form-urlencoded`. A field that nobody has filled in is empty. */
export function readIncidentForm(body: string): ReadIncidentForm {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(body)));
  if (parsed.success) return { kind: 'ok', form: parsed.data };
  return {
    kind: 'invalid',
    problems: parsed.error.issues.map(({ path, message }) => `"${path.map(String).join('.')}": ${message}`),
  };
}

function optional(text: z.ZodType<string>): z.ZodType<string | null> {
  return z.preprocess((value) => (value === '' || value === undefined ? null : value), text.nullable());
}

const schema = z.object({
  by: optional(oneLine(MAX_NAME)),
  comment: optional(oneLine(MAX_COMMENT)),
  duration: optional(oneLine(MAX_NAME)),
});
