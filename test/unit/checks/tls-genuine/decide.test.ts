import { readdirSync, readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decide, type Decision, type VerdictFacts } from '../../../../src/checks/tls-genuine/decide.ts';
import { forEachCombination } from '../../../../tools/generate/interception-tables.ts';

const documentation = readFileSync(new URL('../../../../docs/internals/interception.md', import.meta.url), 'utf8');

/** One byte for each combination of facts, in the order of `FACT_VALUES`: an index into `RECORDED`. */
const recording = brotliDecompressSync(readFileSync(new URL('../../../fixtures/tls-verdicts.br', import.meta.url)));

/** Verdict, confidence, and the level and kind if they are not the usual ones. */
const RECORDED = [
  'genuine confirmed',
  'blocked suspected',
  'certificate-broken suspected warning flawed',
  'certificate-broken confirmed incomplete',
  'certificate-broken confirmed',
  'unknown suspected',
  'rotated confirmed',
  'vendor-ca-changed confirmed',
  'intercepted confirmed',
  'interception-suspected suspected',
  'certificate-broken suspected misnamed',
  'certificate-broken suspected weak',
  'vendor-ca-changed confirmed public-authority',
  'vendor-ca-changed suspected unknown-authority',
  'certificate-broken suspected',
  'certificate-broken suspected warning',
];

function inWords({ verdict, confidence, level, kind }: Decision): string {
  return [verdict, confidence, level, kind].filter((word) => word !== undefined).join(' ');
}

describe('decide()', () => {
  test('gives every combination of facts the verdict that was recorded', () => {
    const counts = new Map<string, { first: VerdictFacts; count: number }>();
    let index = 0;
    forEachCombination((facts) => {
      const [before, after] = [RECORDED[recording[index] ?? -1] ?? 'nothing', inWords(decide(facts))];
      index += 1;
      if (before === after) return;
      const seen = counts.get(`${before} -> ${after}`) ?? { first: { ...facts }, count: 0 };
      seen.count += 1;
      counts.set(`${before} -> ${after}`, seen);
    });
    expect(Object.fromEntries(counts)).toEqual({});
    expect(index).toBe(recording.length);
  });

  test('confirms an interception only if there is a witness', () => {
    let unwitnessed = 0;
    forEachCombination((facts) => {
      if (!facts.witnessed && inWords(decide(facts)) === 'intercepted confirmed') unwitnessed += 1;
    });
    expect(unwitnessed).toBe(0);
  });
});

const FOLDER = new URL('../../../../src/checks/tls-genuine/', import.meta.url);
const SOURCES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'))
  .join('\n');

describe('docs/internals/interception.md', () => {
  test.each(
    [...documentation.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (?:base|witness|hint|for)/gmu)].flatMap(
      ([, names = '']) => [...names.matchAll(/`([a-z-]+)`/gu)].map(([, name = '']) => name),
    ),
  )('tells of a finding that exists: %s', (rule) => {
    expect(SOURCES).toContain(`'${rule}'`);
  });
});
