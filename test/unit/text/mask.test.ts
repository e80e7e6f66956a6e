import { describe, expect, test } from 'vitest';
import { createMask, maskedLine, withoutCodes } from '../../../src/text/mask.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';

const LINES = fixtureLines('masked-lines.txt').map((entry) => entry.split(' | '));

describe('a log line', () => {
  test.each(LINES)('without %s: %s', (_, line = '', masked = '') => {
    expect(maskedLine(line)).toBe(masked);
  });

  test('is cut when it is endless', () => {
    expect(maskedLine('cn=,uid=a@'.repeat(100_000)).length).toBeLessThan(20_000);
  });

  test.each(['cn=,uid=a@', 'A1-', 'uid:...NAME '])('is masked in a moment even if it consists of "%s"', (unit) => {
    // The names differ, because the engine keeps the expressions that it has compiled.
    const lines = Array.from({ length: 100 }, (_, index) => {
      const units = Array.from({ length: 200 }, (_, at) =>
        unit.replace('NAME', String.fromCodePoint(500 + index * 200 + at)),
      );
      return units.join('').padEnd(4_000, unit.slice(-3));
    });
    expect(cpuMsOf(() => lines.map((line) => maskedLine(line)))).toBeLessThan(400);
  });

  test.each([9, 30])('that has %i names shows none of them', (count) => {
    const names = Array.from({ length: count }, (_, index) => `name-${String(index).padStart(2, '0')}`);
    const masked = maskedLine(`A text of [${names.at(-1) ?? ''}] ${names.map((name) => `user=${name}`).join(' ')}`);
    expect(names.filter((name) => masked.includes(name))).toEqual([]);
    expect(masked.startsWith('A text of [')).toBe(count <= 24);
  });

  test('that has a name of endless length does not show it', () => {
    const name = 'long '.repeat(30);
    expect(maskedLine(`user="${name}" logged in as ${name}`)).toBe('user=<user> logged in as …');
  });
});

describe('an account of the configuration', () => {
  const known = {
    accounts: ['API-USER', 'monitor', 'jane@example.org', 'x'],
    withoutSecrets: (text: string) => text.replaceAll('a@b.example', '‹secret›'),
  };

  test.each([
    ['HTTP 401 during login as "API-USER"', 'HTTP 401 during login as "<user>"'],
    ['API-USER is unknown, API-USER-2 is not', '<user> is unknown, API-USER-2 is not'],
    ['535 jane@example.org: no', '535 <user>@example.org: no'],
    ['logging in as "monitor" of this monitor', 'logging in as "<user>" of this monitor'],
    ['of [monitor], at 1x', 'of [<user>], at 1x'],
  ])('is found wherever a peer quotes it: %s', (line, masked) => {
    expect(createMask(known).line(line)).toBe(masked);
  });

  test('is looked for when secrets have been taken out whole', () => {
    expect(createMask(known).line('sent a@b.example, got 535')).toBe('sent ‹secret›, got 535');
  });
});

test('counts what it took out', () => {
  const mask = createMask({ accounts: [], withoutSecrets: (text) => text });
  mask.line('user="jane" mail to jane@example.org and +49 171 2345678: activation code 1A2B-3C4D');
  mask.mailAddresses('ops@example.org');
  expect(mask.tally()).toEqual({ 'user-name': 1, 'mail-address': 2, 'phone-number': 1, code: 1, password: 0 });
});

test.each([
  ['550 code EEIIWKSDCTHTW2OY of <jane@example.org> refused', '550 code <code> of <jane@example.org> refused'],
  [
    '535 FAC-VMTM19000001: FTKMOB5723AE64CB, EFTM010130823929',
    '535 FAC-VMTM19000001: FTKMOB5723AE64CB, EFTM010130823929',
  ],
])('a peer keeps people and serial numbers as evidence, but no code: %s', (answer, kept) => {
  expect(withoutCodes(answer)).toBe(kept);
});
