import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { firmwareVersion, type Version, FACT_USES, type FirmwareFact } from '../core/license/firmware.ts';
import { assertUnique, type CatalogueFile, catalogueError, loadCatalogue } from '../system/catalogue-file.ts';
import { issueTexts } from '../text/message-of.ts';

const SHIPPED_FACTS: string = fileURLToPath(new URL('../../config/firmware-facts.yaml', import.meta.url));

const line = z.string().trim().min(1).max(500);

const version = z
  .string()
  .regex(/^\d{1,4}\.\d{1,4}\.\d{1,4}$/u, 'expected a version with three parts, such as 6.5.3')
  .transform((text): Version => firmwareVersion(text) ?? z.NEVER);

const range = z
  .strictObject({ from: version.optional(), to: version.optional() })
  .refine(({ from, to }) => from !== undefined || to !== undefined, 'expected "from", "to" or both')
  .transform(({ from = null, to = null }) => ({ from, to }));

const fact = z
  .strictObject({
    id: z.string().min(1).max(64),
    use: z.enum(FACT_USES),
    affected: z.array(range).min(1).max(20),
    notMentioned: z.array(version).max(20).default([]),
    leastMemoryKb: z.int().positive().nullable().default(null),
    summary: line,
    todo: line,
    warning: line.includes('{units}').nullable().default(null),
    source: line,
    asOf: z.iso.date(),
  })
  .refine(({ use, leastMemoryKb }) => (use === 'memory') === (leastMemoryKb !== null), {
    path: ['leastMemoryKb'],
    error: 'expected this key only for "memory", where it is required',
  })
  .refine(({ use, warning }) => (use === 'outage') === (warning !== null), {
    path: ['warning'],
    error: 'expected this key only for "outage", where it is required',
  });

const catalogue = z.strictObject({ facts: z.array(fact).max(200) });

/**
 * @param files the administrator's files, whose facts replace shipped facts with the same ID
 * @throws {Error} with the file, the position and the expected value
 */
export async function loadFirmwareFacts(files: readonly string[]): Promise<readonly FirmwareFact[]> {
  return loadCatalogue({ what: 'firmware facts', files, shipped: SHIPPED_FACTS, parse: parseFirmwareFacts });
}

/** @throws {Error} with all problems in the file @internal */
export function parseFirmwareFacts({ value }: CatalogueFile, file: string): readonly FirmwareFact[] {
  const attempt = `Cannot use the firmware facts in "${file}"`;
  const parsed = catalogue.safeParse(value);
  if (!parsed.success) throw catalogueError(attempt, issueTexts(parsed.error).join('; '));
  assertUnique(parsed.data.facts, attempt);
  return parsed.data.facts;
}
