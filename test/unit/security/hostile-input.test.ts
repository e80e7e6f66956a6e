import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corpus, corpusFolders } from '../../support/security/corpus.ts';
import { actingTexts, deeplyNested, mutated, mutatedJson, sizeOf } from '../../support/security/fuzz.ts';
import { HOSTILE_PARSERS, type HostileParser } from './hostile-parsers.ts';
import { sampleOf, samples } from '../../support/random/samples.ts';

/** Limit on processor time for the largest input of any parser, far below a harmful delay of the daemon. */
const MOST_MS = 500;
/**
 * Length at which work that grows exponentially with the nesting already shows. Full-length input can be rejected
 * early, for lack of stack.
 */
const SHORT = 600;

/** Returns the problems in a parser's result for these bytes. */
async function problemsOf(parser: HostileParser, bytes: Buffer): Promise<readonly string[]> {
  const shown = await parser.parse(bytes);
  const size = sizeOf(shown);
  return [...actingTexts(shown, parser.lines), ...(size > parser.most ? [`gives ${String(size)} characters`] : [])];
}

describe.each(HOSTILE_PARSERS)('$name', (parser) => {
  const seeds = corpus(parser.corpus);

  test.each(seeds)('$name', async ({ bytes }) => {
    expect(await problemsOf(parser, bytes)).toEqual([]);
  });

  test('whatever is done to them: no error that is not declared, nothing that acts, bounded', async () => {
    const bytes = seeds.map((seed) => seed.bytes);
    const tokens = parser.repeats;
    const input =
      parser.shape === 'json' ? fc.oneof(mutatedJson(bytes), mutated(bytes, tokens)) : mutated(bytes, tokens);
    await fc.assert(
      fc.asyncProperty(input, async (hostile) => {
        expect(await problemsOf(parser, hostile.subarray(0, parser.longest))).toEqual([]);
      }),
      { numRuns: samples(10) },
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test.each(parser.repeats.map((piece) => [piece] as const))('%j over and over takes no time', async (piece) => {
    const unit = Buffer.from(piece, 'latin1');
    for (const seed of sampleOf([Buffer.alloc(0), ...seeds.slice(0, 2).map(({ bytes }) => bytes)], 3)) {
      const times = Math.ceil(parser.longest / unit.length);
      const whole = Buffer.concat([seed, ...Array.from({ length: times }, () => unit)]);
      for (const most of [SHORT, parser.longest]) {
        const before = process.cpuUsage();
        expect(await problemsOf(parser, whole.subarray(0, most))).toEqual([]);
        const { user, system } = process.cpuUsage(before);
        expect((user + system) / 1000).toBeLessThan(MOST_MS);
      }
    }
  });
});

describe.each(HOSTILE_PARSERS.filter(({ shape }) => shape === 'json'))('$name', (parser) => {
  test('nested 100,000 levels deep', async () => {
    const nested = corpus(parser.corpus).flatMap(({ bytes }) => deeplyNested(bytes));
    for (const bytes of sampleOf(nested, 5)) expect(await problemsOf(parser, bytes)).toEqual([]);
  });
});

test('every folder of the corpus is used', () => {
  // Corpora that need a socket are used in test/integration/security.
  const elsewhere = ['authorization', 'http', 'probe-query', 'snmp'];
  expect(new Set([...HOSTILE_PARSERS.map((parser) => parser.corpus), ...elsewhere])).toEqual(new Set(corpusFolders()));
});
