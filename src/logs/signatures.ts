import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Severity, SEVERITIES } from '../core/severity.ts';
import { assertUnique, type CatalogueFile, catalogueError, loadCatalogue } from '../system/catalogue-file.ts';
import {
  type MessageSignature,
  type Signature,
  type SignatureSet,
  compileSignatures,
} from '../core/polling/signature.ts';
import { issueTexts } from '../text/message-of.ts';

const SHIPPED_SIGNATURES: string = fileURLToPath(new URL('../../config/fac-signatures.yaml', import.meta.url));

const line = z.string().trim().min(1).max(1000);

/** Must be short enough for a mail subject. */
const MAX_SHORT = 27;

const base = {
  id: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/u, 'expected kebab-case, such as "ftm-polling-ssl"'),
  severity: z.custom<Severity>(
    (value) => SEVERITIES.some((severity) => severity === value),
    `expected one of ${SEVERITIES.join(', ')}`,
  ),
  short: z.string().trim().min(1).max(MAX_SHORT).exactOptional(),
  summary: line,
  remedy: z.array(line).min(1).max(20),
  source: line,
};

/**
 * At least one part of the text must be long enough for the search, because short search texts match many lines, and
 * examining a line is slow.
 */
const text = z
  .string()
  .max(1000)
  .refine(
    (value) => value.split('*').some((part) => part.trim().length >= 6),
    'expected at least 6 characters in a row without "*"',
  );

/** Type "event", subtype "system" (FortiOS log message reference, "Log ID definitions", 01 and 00). */
const logId = z.string().regex(/^0100\d{6}$/u, 'expected a ten-digit system event ID, such as "0100032159"');

/** Logging > Log Access > Logs, "Log Type Reference" (docs 6.1.1, 671956) */
const eventId = z.string().regex(/^\d{5}$/u, 'expected a five-digit FortiAuthenticator event ID, such as "10103"');

const message = z.strictObject({
  ...base,
  texts: z.array(text).max(50).default([]),
  logIds: z.array(logId).min(1).max(50).exactOptional(),
  eventIds: z.array(eventId).min(1).max(50).exactOptional(),
  explainOnly: z.boolean().exactOptional(),
});

/** A signature without texts can be found only by `explain`, through its event IDs. */
const NOTHING_TO_FIND = 'expected at least one text, or "eventIds" with "explainOnly: true"';

function canBeFound({ texts, eventIds, explainOnly }: Omit<MessageSignature, 'kind'>): boolean {
  return texts.length > 0 || (eventIds !== undefined && explainOnly === true);
}

const firewall = z.strictObject({
  ...base,
  fields: z
    .record(z.string().regex(/^[a-z_][\w-]*$/u), z.string().min(1).max(200))
    .refine((fields) => Object.keys(fields).length > 0, 'expected at least one field'),
});

type IsCause = (text: string) => boolean;

type EntrySchemas = Readonly<Record<Signature['kind'], z.ZodType<Signature>>>;

function entriesWith(isCause: IsCause): EntrySchemas {
  const cause = z.string().refine(isCause, 'expected a cause, which is the ID of a runbook').nullable();
  return {
    message: message
      .extend({ cause })
      .refine(canBeFound, { path: ['texts'], error: NOTHING_TO_FIND })
      .transform((entry) => ({ kind: 'message', ...entry })),
    firewall: firewall.extend({ cause }).transform((entry) => ({ kind: 'firewall', ...entry })),
  };
}

const catalogue = z.strictObject({ signatures: z.array(z.unknown()).max(1000) });

/** @throws {Error} with the file, the line, the signature and the problem */
export async function loadSignatures(files: readonly string[], isCause: IsCause): Promise<SignatureSet> {
  const parse = (content: CatalogueFile, file: string): readonly Signature[] => parseSignatures(content, file, isCause);
  const all = await loadCatalogue({ what: 'signatures', files, shipped: SHIPPED_SIGNATURES, parse });
  assertUnique(all, 'Cannot use the signatures');
  return compileSignatures(all);
}

/** @throws {Error} as in `loadSignatures` @internal */
export function parseSignatures(
  { value, lineOf }: CatalogueFile,
  file: string,
  isCause: IsCause,
): readonly Signature[] {
  const attempt = `Cannot use the signatures in "${file}"`;
  const outer = catalogue.safeParse(value);
  if (!outer.success)
    throw catalogueError(attempt, `expected a key "signatures" with a list: ${issueTexts(outer.error).join('; ')}`);
  const entries = entriesWith(isCause);
  const problems: string[] = [];
  const signatures: Signature[] = [];
  for (const [index, entry] of outer.data.signatures.entries()) {
    const parsed = parseSignature(entry, entries);
    if (typeof parsed !== 'string') signatures.push(parsed);
    else problems.push(`line ${String(lineOf(['signatures', index]))}: ${parsed}`);
  }
  if (problems.length > 0) throw catalogueError(attempt, problems.join('; '));
  return signatures;
}

const head = z
  .looseObject({ id: z.string().nullish().catch(null), fields: z.unknown().optional() })
  .catch({ id: null, fields: undefined });

/** Returns what is wrong if the value is not a signature. */
function parseSignature(value: unknown, entries: EntrySchemas): Signature | string {
  const { id = null, fields } = head.parse(value);
  const { data, error } = entries[fields === undefined ? 'message' : 'firewall'].safeParse(value);
  return data ?? describe(id, error);
}

function describe(name: string | null, error: z.ZodError): string {
  const id = name === null ? 'a signature without an ID' : `signature "${name.slice(0, 64)}"`;
  const issues = error.issues.map(({ path, message: problem }) =>
    path.length === 0 ? problem : `${path.map(String).join('.')}: ${problem}`,
  );
  return `${id}: ${issues.join(', ')}`;
}
