import * as z from 'zod';
import { expectedSecretMessage } from '../../text/show.ts';
import { USES, type Use } from './uses.ts';
import { expected } from './values.ts';
import { optional } from './section.ts';

const FILE = 'the name of a file';
const VARIABLE = hidden('the name of an environment variable in capitals, such as "FTM_WATCH_PASSWORD"');

/** A file that must be readable when the configuration is loaded. */
export const readableFile: z.ZodType<string> = file('file', 'file-to-read', expected(FILE));

/** The same with certificates to verify others by. */
export const certificatesFile: z.ZodType<string> = file('file', 'authority-file', expected(FILE));

/** A file that may come later and change. */
export const laterFile: z.ZodType<string> = file('file', 'file-for-later', expected(FILE));

/** A file whose content is a secret. */
export const secretFile: z.ZodType<string> = file('file with a secret', 'secret-file', hidden(FILE));

/**
 * The name of an environment variable that holds a secret: capitals only, so that a password written here by mistake is
 * refused, and not quoted as a variable that is not set.
 */
export const secretVariable: z.ZodType<string> = z
  .string(VARIABLE)
  .regex(/^[A-Z][A-Z0-9_]{0,127}$/u, VARIABLE)
  .meta({ title: 'environment variable' })
  .register(USES, { use: 'secret-variable' });

/** Of a server that a public authority may have signed too. */
export const authorityFile: z.ZodType<string | null> = optional(certificatesFile).describe(
  'PEM file of the authority that signed its certificate; without it the public authorities are trusted.',
);

interface Wording {
  readonly error: (issue: { readonly input?: unknown }) => string;
}

function file(title: string, use: Use, wording: Wording): z.ZodType<string> {
  return z.string(wording).min(1, wording).meta({ title }).register(USES, { use });
}

function hidden(what: string): Wording {
  return { error: ({ input }) => expectedSecretMessage(what, input) };
}
