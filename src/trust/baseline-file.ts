import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { certificatePem, parseCertificate } from '../core/parse-certificate.ts';
import type { Certificate } from '../core/certificate.ts';
import type { Baseline } from '../tls/trust.ts';
import { makeFolder, replaceFile } from '../system/json-file.ts';
import { issueTexts, messageOf } from '../text/message-of.ts';
import { readPem } from './load-trust.ts';

const certificate = z.string().transform((pem, context): Certificate => {
  const [der, ...more] = readPem(pem);
  const parsed = der === undefined || more.length > 0 ? null : parseCertificate(der);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'expected exactly one certificate in PEM format' });
  return z.NEVER;
});

const target = z.strictObject({
  learnedAt: z.iso.datetime(),
  protocol: z.string().max(32).nullable(),
  leaves: z.array(certificate).min(1).max(64),
  authorities: z.array(certificate).max(64),
  // Versions before 0.2 did not store accepted fingerprints, so the field can be missing.
  accepted: z.array(z.string().max(200)).max(64).default([]),
});

const content = z.strictObject({ version: z.literal(1), targets: z.record(z.string().max(300), target) });

/**
 * Reads the stored baselines, keyed by target (`host:port`). Returns an empty map if the file does not exist.
 *
 * @throws {Error} if the file cannot be read or is not in the expected format
 */
export async function readBaselines(file: string): Promise<ReadonlyMap<string, Baseline>> {
  const text = await readIfThere(file);
  if (text === null) return new Map();
  const parsed = content.safeParse(parseJson(text, file));
  if (!parsed.success) {
    throw new Error(
      `Cannot use the learned trust in "${file}": ${issueTexts(parsed.error).slice(0, 5).join('; ')}. Learn ` +
        'the trust again with "ftm-watch trust learn"',
    );
  }
  return new Map(
    Object.entries(parsed.data.targets).map(([name, { learnedAt, ...learned }]) => [
      name,
      { target: name, learnedAt: Date.parse(learnedAt), ...learned },
    ]),
  );
}

/**
 * Writes the baseline of one target and keeps all others. The file is replaced as a whole.
 *
 * @throws {Error} if the file cannot be written, or if an existing file cannot be read
 */
export async function writeBaseline(file: string, baseline: Baseline): Promise<void> {
  const all = new Map([...(await readBaselines(file)), [baseline.target, baseline]]);
  const targets = Object.fromEntries([...all].map(([name, learned]) => [name, serialise(learned)]));
  try {
    makeFolder(dirname(file));
    await replaceFile(file, `${JSON.stringify({ version: 1, targets }, null, 2)}\n`, { mode: 0o644, flush: true });
  } catch (error) {
    throw new Error(`Cannot write the learned trust to "${file}": ${messageOf(error)}`, { cause: error });
  }
}

function serialise({ learnedAt, protocol, leaves, authorities, accepted }: Baseline): z.input<typeof target> {
  return {
    learnedAt: new Date(learnedAt).toISOString(),
    protocol,
    leaves: leaves.map(certificatePem),
    authorities: authorities.map(certificatePem),
    accepted: [...accepted],
  };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(
      `Cannot parse the learned trust in "${file}": ${messageOf(error)}. Learn the trust again with ` +
        '"ftm-watch trust learn"',
      {
        cause: error,
      },
    );
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Error(`Cannot read the learned trust in "${file}": ${messageOf(error)}`, { cause: error });
  }
}
