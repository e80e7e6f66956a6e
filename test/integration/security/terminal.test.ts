import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { actingTexts } from '../../support/security/fuzz.ts';
import { runHere } from '../../support/process/command-line.ts';

/** Clears the screen, sets the title, colors the text that follows and reverses it. */
const ACTS = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftm-watch-terminal-'));
  const files: Readonly<Record<string, string>> = {
    'baselines.json': `{"version": 1, ${ACTS}`,
    'signatures.yaml': 'signatures: [{ id: "\\e[2J", "\\e]0;owned\\a": 1 }]\n',
    'products.yaml': 'products: [{ id: "\\e[2J", "\\e]0;owned\\a": 1, pages: ["\\e[("] }]\n',
    'fac.log':
      `<12>Nov 24 13:00:00 ${ACTS} db[1]: category="Event" status="" FTM polling error: ${ACTS} SSL session ` +
      'failed\n',
    'names.yaml': 'site: "\\e[2J"\n"\\e]0;owned\\a": 1\nmail: [{ host: "\\e[2J" }]\n',
    'ftm-watch.yaml': 'trust: { baselineFile: baselines.json }\n',
    'by-signature.yaml': 'logs: { signatureFiles: [signatures.yaml] }\n',
    'by-product.yaml': 'trust: { productFiles: [products.yaml] }\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what others wrote cannot act on a terminal', () => {
  test.each([
    ['learned trust that is no JSON', ['trust', 'show', '-c', 'ftm-watch.yaml']],
    ['a signature file', ['explain', '-c', 'by-signature.yaml', 'x']],
    ['a product file', ['trust', 'show', '-c', 'by-product.yaml']],
    ['a log line', ['explain', `FTM polling error: ${ACTS} SSL session failed`]],
    ['a log file', ['replay', 'fac.log']],
    ['learned trust that is checked', ['config', 'check', '-c', 'ftm-watch.yaml']],
    ['a configuration', ['config', 'check', '-c', 'names.yaml']],
    ['a file name', ['config', 'check', '-c', `${ACTS}.yaml`]],
  ])('%s', async (_, args) => {
    const { stdout, stderr } = await runHere(args, { cwd: folder });

    expect(`${stdout}${stderr}`).not.toBe('');
    expect(actingTexts(stdout, true)).toEqual([]);
    expect(actingTexts(stderr, true)).toEqual([]);
  });
});
