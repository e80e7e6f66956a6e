import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isCauseId, isPreconditionId } from '../../../src/checks/registry.ts';

interface Row {
  readonly number: string;
  readonly sentence: string;
  readonly does: string;
  readonly said: string;
  readonly tests: string;
}

const rows: readonly Row[] = readFileSync('test/proofs.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/u.test(line))
  .map((line) => {
    const [number = '', sentence = '', does = '', said = '', tests = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { number, sentence, does, said, tests };
  });

/** Topics of the tip, each identified by a distinct phrase. */
const TOPICS: readonly RegExp[] = [
  /internet connection/u,
  /activation code of the certificate/u,
  /number matches the licence/u,
  /support portal/u,
  /offline from 6\.6\.1/u,
  /creates a seed/u,
  /mail or SMS/u,
  /the app/u,
  /polls/u,
  /problem with SSL comm layer.*SSL session failed.*FTM polling error/u,
  /execute ping.*173\.243\.138\.84/u,
  /upstream.*TCP 443/u,
  /Deep inspection/u,
  /FQDN is not reachable from the FortiGate/u,
  /policy for that destination/u,
  /no security profile/u,
  /signed by the Fortinet CA/u,
  /SMTP server is reachable/u,
  /try localhost/u,
  /not to that of the HA peer/u,
  /TAC/u,
];

const quoted = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/gu)].map(([, word = '']) => word);

describe('the table of the activation tip', () => {
  test('has a row for each sentence, and nothing else', () => {
    expect(rows.map(({ number }) => number)).toEqual(TOPICS.map((_, index) => String(index + 1)));
    expect(rows.filter(({ sentence }, index) => TOPICS[index]?.test(sentence) !== true)).toEqual([]);
  });

  test.each(rows)('$number names tests that exist, or is marked as not checked', ({ does, said, tests }) => {
    const files = quoted(tests);
    expect(files.filter((file) => !existsSync(file) || !file.endsWith('.test.ts'))).toEqual([]);
    const isUnseen = tests === '–' && said === '–' && does.startsWith('Not checked');
    expect(files.length > 0 || isUnseen).toBe(true);
  });

  test.each(rows)('$number names causes and preconditions that exist', ({ does, said }) => {
    const KEBAB = /^[a-z]+(?:-[a-z]+)+$/u;
    expect(quoted(said).filter((id) => !isCauseId(id))).toEqual([]);
    expect(quoted(does).filter((id) => KEBAB.test(id) && !isPreconditionId(id))).toEqual([]);
  });
});
