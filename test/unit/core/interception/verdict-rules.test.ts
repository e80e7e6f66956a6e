import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { VerdictFacts } from '../../../../src/core/interception/verdict-facts.ts';
import { decide, OPEN, VERDICT_RULES } from '../../../../src/core/interception/verdict-rules.ts';

const documentation = readFileSync(new URL('../../../../docs/interception.md', import.meta.url), 'utf8');
const GENUINE: VerdictFacts = {
  standing: 'trusted',
  accepted: true,
  identity: 'named',
  dates: 'valid',
  history: 'none',
  gap: false,
  profile: 'fortinet',
  flaw: 'none',
  ended: 'handshake',
  unverified: false,
  contradicted: false,
  signals: 0,
  hints: 0,
};
const FOREIGN: VerdictFacts = { ...GENUINE, standing: 'foreign', accepted: false, unverified: true, signals: 1 };
const PUBLIC: VerdictFacts = { ...GENUINE, standing: 'public', accepted: false };

describe('decide()', () => {
  test.each<{ readonly id: string; readonly facts: VerdictFacts }>([
    { id: 'genuine', facts: GENUINE },
    { id: 'genuine', facts: { ...GENUINE, signals: 3, hints: 2 } },
    { id: 'own-clock', facts: { ...GENUINE, dates: 'clock' } },
    { id: 'device', facts: { ...GENUINE, identity: 'device', signals: 1 } },
    { id: 'device-and-more', facts: { ...GENUINE, identity: 'device', signals: 2 } },
    { id: 'device', facts: { ...GENUINE, identity: 'device', signals: 1, dates: 'expired' } },
    { id: 'dates', facts: { ...GENUINE, dates: 'expired', identity: 'other' } },
    { id: 'dates', facts: { ...GENUINE, dates: 'not-yet-valid' } },
    { id: 'misnamed', facts: { ...GENUINE, identity: 'other' } },
    { id: 'misnamed-and-more', facts: { ...GENUINE, identity: 'other', signals: 1 } },
    { id: 'genuine', facts: { ...GENUINE, gap: true } },
    { id: 'gap', facts: { ...GENUINE, gap: true, profile: 'public' } },
    { id: 'cut', facts: { ...GENUINE, ended: 'cut' } },
    { id: 'genuine', facts: { ...GENUINE, ended: 'alert' } },
    { id: 'flaw', facts: { ...GENUINE, flaw: 'old' } },
    { id: 'new-flaw', facts: { ...GENUINE, flaw: 'new' } },
    { id: 'new-flaw', facts: { ...GENUINE, flaw: 'new', history: 'other-authority' } },
    { id: 'cut', facts: { ...GENUINE, flaw: 'new', ended: 'cut' } },
    { id: 'dates', facts: { ...GENUINE, flaw: 'new', dates: 'expired' } },
    { id: 'other-authority', facts: { ...GENUINE, history: 'other-authority' } },
    { id: 'genuine', facts: { ...GENUINE, history: 'other-authority', identity: 'known-key' } },
    { id: 'renewed', facts: { ...GENUINE, history: 'same-authority' } },
    { id: 'weak', facts: { ...GENUINE, standing: 'weak', accepted: false } },
    { id: 'two-signals', facts: { ...GENUINE, standing: 'weak', accepted: false, signals: 2 } },
    { id: 'elsewhere', facts: PUBLIC },
    { id: 'elsewhere', facts: { ...PUBLIC, standing: 'vendor' } },
    { id: 'elsewhere', facts: { ...PUBLIC, signals: 2 } },
    { id: 'elsewhere-contradicted', facts: { ...PUBLIC, contradicted: true, signals: 1 } },
    { id: 'elsewhere-own-clock', facts: { ...PUBLIC, dates: 'clock' } },
    { id: 'elsewhere-dates', facts: { ...PUBLIC, dates: 'expired' } },
    { id: 'elsewhere-cut', facts: { ...PUBLIC, ended: 'cut' } },
    { id: 'one-signal', facts: { ...PUBLIC, identity: 'other', unverified: true, signals: 1 } },
    { id: 'one-signal', facts: FOREIGN },
    { id: 'one-signal', facts: { ...FOREIGN, dates: 'expired', hints: 2 } },
    { id: 'two-signals', facts: { ...FOREIGN, signals: 2 } },
    { id: 'open', facts: { ...FOREIGN, standing: 'incomplete', unverified: false, signals: 0 } },
    { id: 'hint', facts: { ...FOREIGN, standing: 'incomplete', unverified: false, signals: 0, hints: 1 } },
  ])('takes the row $id', ({ id, facts }) => {
    expect(decide(facts).id).toBe(id);
  });

  test('confirms nothing on one signal', () => {
    const suspicions = [...VERDICT_RULES, OPEN].filter(({ verdict }) => verdict === 'interception-suspected');
    expect(suspicions.map(({ confidence }) => confidence)).toEqual(suspicions.map(() => 'suspected'));
  });
});

describe('docs/interception.md', () => {
  test('has the table as it is', () => {
    const rows = [...VERDICT_RULES, OPEN].map(({ when, verdict, confidence }) => `| ${when} | \`${verdict}\` | ${confidence} |`);
    const [, table = ''] = /<!-- verdicts -->\n([\s\S]*?)\n<!-- \/verdicts -->/u.exec(documentation) ?? [];
    expect(table.split('\n').slice(2)).toEqual(rows);
  });

  test.each(
    [...documentation.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (?:base|strong|weak|for)/gmu)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([a-z-]+)`/gu)].map(([, name = '']) => name),
    ),
  )('tells of a finding that exists: %s', (rule) => {
    const sources = [
      'signal',
      'case-report',
      'expectations',
      'no-certificate',
      'leaf-signals',
      'control-signal',
      'catalogue-signal',
      'copy-signal',
      'reference-signal',
    ];
    const text = sources
      .map((name) => readFileSync(new URL(`../../../../src/core/interception/${name}.ts`, import.meta.url), 'utf8'))
      .join('');
    expect(text).toContain(`'${rule}'`);
  });
});
