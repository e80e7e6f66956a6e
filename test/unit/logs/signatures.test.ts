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
    {
      name: 'an unknown key',
      text: changed('source: here', 'source: here\n    colour: red'),
      message: /own\.yaml.*line 2: signature "own-text": .*colour/u,
    },
    { name: 'an unknown cause', text: changed('polling-failing', 'gremlins'), message: /cause: expected a cause/u },
    {
      name: 'a prototype name as cause',
      text: changed('polling-failing', 'constructor'),
      message: /cause: expected a cause/u,
    },
    {
      name: 'an unknown severity',
      text: changed('severity: warning', 'severity: bad'),
      message: /severity: expected one of critical, warning, info/u,
    },
    { name: 'an id that is no label', text: changed('own-text', 'Own Text!'), message: /id: expected kebab-case/u },
    {
      name: 'a text that is too short',
      text: changed('Own trouble: *happened', 'Own*'),
      message: /texts\.0: expected at least 6 characters/u,
    },
    {
      name: 'a log id that is no system event',
      text: changed('source: here', "source: here\n    logIds: ['32159']"),
      message: /logIds\.0: expected a ten-digit system event ID/u,
    },
    {
      name: 'neither texts nor fields',
      text: changed("texts: ['Own trouble: *happened']", 'pattern: x'),
      message: /texts/u,
    },
    { name: 'no list', text: 'signature: []', message: /expected a key "signatures"/u },
    {
      name: 'no YAML',
      text: 'signatures: [',
      message: /Cannot parse the signatures in "own\.yaml": line 1, column 14: not valid YAML/u,
    },
    { name: 'an alias of nothing', text: 'signatures:\n  - *a', message: /"own\.yaml": line 2, column 5: this alias/u },
    {
      name: 'a mapping as key',
      text: 'signatures: []\n? ? a\n',
      message: /"own\.yaml": line 2, column 3: expected text as the key/u,
    },
  ])('refuses $name, and says where', ({ text, message }) => {
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

  test('ships texts that each match themselves first, and causes that exist', async () => {
    const set = await loadSignatures([], isFaultId);
    const isFound = (message: string): boolean => set.needles.some((needle) => message.includes(needle));
    for (const signature of set.signatures) {
      expect(signature.cause === null || isFaultId(signature.cause)).toBe(true);
      if (signature.kind === 'firewall') continue;
      const { id, explainOnly = false } = signature;
      for (const text of signature.texts.filter((one) => !one.startsWith('*'))) {
        const message = text.replace(/^\^/u, '').replaceAll('*', ' ');
        const stream = matchMessage(set.anchored, message)?.id ?? null;
        const explained = stream ?? matchMessage(set.explaining, message)?.id;
        expect({ text, explained, isCounted: stream !== null, found: isFound(message) }).toEqual({
          text,
          explained: id,
          isCounted: !explainOnly,
          found: !explainOnly,
        });
      }
    }
  });

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
