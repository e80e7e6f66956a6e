import { isFaultId } from '../../../src/checks/registry.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matchMessage, type Signature } from '../../../src/core/polling/signature.ts';
import { loadSignatures, parseSignatures } from '../../../src/logs/signatures.ts';
import { parseCatalogue } from '../../../src/system/catalogue-file.ts';

const GOOD = `
  - id: own-text
    texts: ['Own trouble: *happened']
    cause: polling-failing
    severity: warning
    summary: Own
    remedy: [Fix it]
    source: here
`;

const changed = (from: string, to: string): string => `signatures:${GOOD.replace(from, to)}`;

function parsed(text: string): readonly Signature[] {
  return parseSignatures(parseCatalogue(text, 'signatures', 'own.yaml'), 'own.yaml', isFaultId);
}

describe('parseSignatures', () => {
  test('takes a good one', () => {
    expect(parsed(`signatures:${GOOD}`)).toEqual([
      {
        kind: 'message',
        id: 'own-text',
        texts: ['Own trouble: *happened'],
        cause: 'polling-failing',
        severity: 'warning',
        summary: 'Own',
        remedy: ['Fix it'],
        source: 'here',
      },
    ]);
  });

  test.each([
    [
      'an unknown key',
      changed('source: here', 'source: here\n    colour: red'),
      /line 2: signature "own-text": .*colour/u,
    ],
    ['an unknown cause', changed('polling-failing', 'gremlins'), /cause: expected/u],
    ['a prototype name as cause', changed('polling-failing', 'constructor'), /cause: expected/u],
    [
      'an unknown severity',
      changed('severity: warning', 'severity: bad'),
      /severity: expected one of critical, warning, info/u,
    ],
    ['an id that is no label', changed('own-text', 'Own Text!'), /id: expected kebab-case/u],
    ['a text that is too short', changed('Own trouble: *happened', 'Own*'), /texts\.0: expected at least 6 /u],
    [
      'a log id that is no system event',
      changed('source: here', "source: here\n    logIds: ['32159']"),
      /logIds\.0: /u,
    ],
    ['neither texts nor fields', changed("texts: ['Own trouble: *happened']", 'pattern: x'), /texts/u],
    ['no list', 'signature: []', /"signatures"/u],
    ['no YAML', 'signatures: [', /"own\.yaml": line 1, column 14: /u],
    ['an alias of nothing', 'signatures:\n  - *a', /"own\.yaml": line 2, column 5: /u],
    ['a mapping as key', 'signatures: []\n? ? a\n', /"own\.yaml": line 2, column 3: /u],
  ])('refuses %s, and says where', (_, text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });
});

describe('loadSignatures', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signatures-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function file(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  }

  test.each([
    ['eventIds: ["1010"]', /eventIds.0: expected a five-digit FortiAuthenticator event ID, such as "10103"/u],
    ['eventIds: ["10103"]', /texts: expected at least one text, or "eventIds" with "explainOnly: true"/u],
    ['explainOnly: true', /texts: expected at least one text, or "eventIds" with "explainOnly: true"/u],
  ])('wants something to recognise it by: %s', async (key, problem) => {
    const own = await file('own.yaml', `signatures:${GOOD.replace(/texts: .*/u, key)}`);
    await expect(loadSignatures([own], isFaultId)).rejects.toThrow(problem);
  });

  test('adds a file, whose texts go first, and replaces by id', async () => {
    const own = await file(
      'own.yaml',
      `signatures:${GOOD}${GOOD.replace('own-text', 'ftm-polling-ssl').replace('Own trouble: *happened', 'FTM polling error')}`,
    );
    const set = await loadSignatures([own], isFaultId);
    expect(matchMessage(set.anchored, 'Own trouble: it happened')?.id).toBe('own-text');
    expect(matchMessage(set.anchored, 'FTM polling error: connection timeout')?.id).toBe('ftm-polling-ssl');
    expect(set.signatures.filter(({ id }) => id === 'ftm-polling-ssl')).toHaveLength(1);
    expect(set.needles).toContain('Own trouble: ');
  });

  test('refuses an id that stands twice, and a file that is missing', async () => {
    const twice = await file('twice.yaml', `signatures:${GOOD}${GOOD}`);
    await expect(loadSignatures([twice], isFaultId)).rejects.toThrow('"own-text" occurs twice');
    await expect(loadSignatures([join(folder, 'none.yaml')], isFaultId)).rejects.toThrow(
      /Cannot read the signatures in ".*none\.yaml": ENOENT/u,
    );
  });
});
