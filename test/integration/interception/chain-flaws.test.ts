import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endFlaws, lastingFlaws } from '../../../src/tls/flaws.ts';
import { chainPem, type Identity } from '../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../support/certificates/chains.ts';
import { FLAW_ROWS, flawedChain } from '../../support/certificates/flaw-rows.ts';

const state = { folder: '' };
beforeAll(async () => {
  state.folder = await mkdtemp(join(tmpdir(), 'ftm-watch-flaws-'));
});
afterAll(() => rm(state.folder, { recursive: true }));

describe('lastingFlaws(), endFlaws() and "openssl verify" agree', () => {
  test.for(FLAW_ROWS)('$name', async ({ name, flaw, ...row }) => {
    const path = await flawedChain(row);
    const refused = await refusal(name.replaceAll(/\W+/gu, '-'), path);
    const certificates = path.map(certificateOf);
    const flaws = [...lastingFlaws(certificates), ...endFlaws(certificates, Date.now())];
    expect({ refused: refused !== null, flawed: flaws.length > 0 }).toEqual({
      refused: flaw !== undefined,
      flawed: flaw !== undefined,
    });
  });
});

/** Returns why OpenSSL rejects the path; null: it does not. */
async function refusal(name: string, path: readonly Identity[]): Promise<string | null> {
  const write = async (what: string, identities: readonly Identity[]): Promise<string> => {
    const file = join(state.folder, `${name}-${what}.pem`);
    await writeFile(file, chainPem(...identities));
    return file;
  };
  const [leaf, sent, trusted] = [
    await write('leaf', path.slice(0, 1)),
    await write('sent', path.slice(0, -1)),
    await write('end', path.slice(-1)),
  ];
  const own = [
    '-no-CAfile',
    '-no-CApath',
    '-no-CAstore',
    '-partial_chain',
    '-purpose',
    'sslserver',
    '-trusted',
    trusted,
  ];
  try {
    await promisify(execFile)('openssl', ['verify', ...own, ...(path.length > 1 ? ['-untrusted', sent] : []), leaf]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
