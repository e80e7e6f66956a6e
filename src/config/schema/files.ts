import { resolve } from 'node:path';
import * as z from 'zod';
import { visibleText } from '../../core/visible-text.ts';
import type { SecretSource } from '../../system/secret.ts';
import { expectedSecretMessage } from '../../text/show.ts';
import type { SchemaContext } from './context.ts';
import { expected } from './values.ts';

const FILE = 'the name of a file';
/**
 * Capitals only, so that a password written here by mistake is refused, and not quoted as a variable that is not set.
 */
const VARIABLE = /^[A-Z][A-Z0-9_]{0,127}$/u;

/** A file that must be readable when the configuration is loaded. */
export function readableFile(context: SchemaContext): z.ZodType<string> {
  return existing(context, z.string(expected(FILE)).min(1, expected(FILE)), 'file');
}

/** A file whose content is a secret. */
export function secretFile(context: SchemaContext): z.ZodType<string> {
  const hidden = { error: (issue: { readonly input?: unknown }): string => expectedSecretMessage(FILE, issue.input) };
  return existing(context, z.string(hidden).min(1, hidden), 'file with a secret');
}

/**
 * A file that need not exist yet; `fallback` is its name, from the working directory, where the configuration gives
 * none.
 */
export function outputFile(context: SchemaContext, fallback: string): z.ZodType<string> {
  return z
    .string(expected(FILE))
    .min(1, expected(FILE))
    .optional()
    .transform((path) => (path === undefined ? resolve(context.cwd, fallback) : resolve(context.baseDirectory, path)))
    .meta({ title: 'file', absent: fallback });
}

/** A file that may come later and change. */
export function followedFile(context: SchemaContext): z.ZodType<string> {
  return z
    .string(expected(FILE))
    .min(1, expected(FILE))
    .transform((path) => resolve(context.baseDirectory, path))
    .meta({ title: 'file' });
}

/** The name of an environment variable that holds a secret. The text is never quoted unless it is a variable's name. */
export function secretVariable({ env }: SchemaContext): z.ZodType<string> {
  const what = 'the name of an environment variable in capitals, such as "FTM_WATCH_PASSWORD"';
  const hidden = { error: (issue: { readonly input?: unknown }): string => expectedSecretMessage(what, issue.input) };
  return z
    .string(hidden)
    .regex(VARIABLE, { ...hidden, abort: true })
    .superRefine((variable, refinement) => {
      const value = env[variable];
      if (value !== undefined && value !== '') return;
      refinement.addIssue({ code: 'custom', message: `environment variable "${variable}" is not set` });
    })
    .meta({ title: 'environment variable' });
}

/** The source that one of the two keys names. */
export function secretFrom(file: string | undefined, variable: string | undefined): SecretSource | null {
  if (file !== undefined) return { kind: 'file', path: file };
  return variable === undefined ? null : { kind: 'env', name: variable };
}

/** The same where a rule of the section made sure that one of them is given. */
export function requiredSecret(file: string | undefined, variable: string | undefined): SecretSource {
  const source = secretFrom(file, variable);
  if (source === null) throw new TypeError('Cannot name the source of a secret: the section lacks its rule');
  return source;
}

function existing(context: SchemaContext, schema: z.ZodType<string>, title: string): z.ZodType<string> {
  return schema
    .transform(async (name, refinement) => {
      const path = resolve(context.baseDirectory, name);
      const problem = await context.fileProblem(path);
      if (problem !== null)
        refinement.addIssue({ code: 'custom', message: `cannot read file "${visibleText(path, 300)}": ${problem}` });
      return path;
    })
    .meta({ title });
}
