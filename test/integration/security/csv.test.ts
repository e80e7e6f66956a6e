import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { incidentsToCsv } from '../../../src/web/incident-json.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/** Prints the cells of each row as a spreadsheet with this separator shows them. */
const READ = `import csv, json, sys
text = sys.stdin.buffer.read().decode('utf-8')
print(json.dumps(list(csv.reader(text.splitlines(keepends=True), delimiter=sys.argv[1]))))`;
const SEPARATORS = [',', ';', '\t'];
const LIKE_A_FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/u;

const ATTACKS = [
  "x;=cmd|' /C calc'!A0",
  'x,=HYPERLINK("https://evil.example")',
  '"x";"=1+1"',
  'x";=1+1;"',
  ';=1+1',
  '";"',
  'x\t=1+1',
  'x\r\n=1+1',
  'x; =1+1',
  '\u00A0=1+1',
  '=1+1',
  '@SUM(A1)',
  '-1+1',
  '＝1+1',
  "';=1+1",
  'x;\t;=1',
];

async function cellsOf(texts: readonly string[], separator: string): Promise<readonly (readonly string[])[]> {
  const incidents = texts.map((text) => incidentOf(causeOf('tls-intercepted', { subject: text, summary: text })));
  const input = await incidentsToCsv(incidents);
  return JSON.parse(execFileSync('python3', ['-c', READ, separator], { input, encoding: 'utf8' })) as string[][];
}

describeWhere([{ program: 'python3' }], 'the incidents as CSV, with texts of a hostile certificate', () => {
  test.each(SEPARATORS)(
    'have as many columns in each row, and no cell like a formula, separated by %j',
    async (separator) => {
      const rows = await cellsOf(ATTACKS, separator);
      expect(rows).toHaveLength(ATTACKS.length + 1);
      expect(new Set(rows.map((row) => row.length))).toEqual(new Set([separator === ',' ? 13 : 1]));
      expect(rows.flat().filter((cell) => LIKE_A_FORMULA.test(cell))).toEqual([]);
    },
  );

  test('and so has any text', async () => {
    const unit = fc.constantFrom(';', ',', '"', "'", '\t', '\r', '\n', ' ', '\u00A0', '=', '+', '-', '@', 'A');
    const text = fc.string({ unit, maxLength: 12 });
    for (const texts of fc.sample(text, 400).reduce<string[][]>(inHundreds, []))
      for (const separator of SEPARATORS) {
        const rows = await cellsOf(texts, separator);
        expect(new Set(rows.map((row) => row.length))).toEqual(new Set([separator === ',' ? 13 : 1]));
        expect(rows.flat().filter((cell) => LIKE_A_FORMULA.test(cell))).toEqual([]);
      }
  });
});

function inHundreds(chunks: string[][], text: string): string[][] {
  const last = chunks.at(-1);
  if (last === undefined || last.length === 100) return [...chunks, [text]];
  last.push(text);
  return chunks;
}
