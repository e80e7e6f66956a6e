import { describe, expect, test } from 'vitest';
import { parseFirmwareFacts } from '../../../src/connectors/firmware-facts.ts';
import { parseCatalogue } from '../../../src/system/catalogue-file.ts';

const FACT = `
  - id: a-fact
    use: note
    affected: [{ from: 6.5.0, to: 6.5.4 }, { to: 6.4.9 }]
    notMentioned: [6.5.2]
    summary: does something
    todo: upgrade
    source: ta-p/361713
    asOf: 2026-11-30
`;
const parsed = (facts: string) => parseFirmwareFacts(parseCatalogue(`facts:${facts}`, 'firmware facts', 'x'), 'x');

describe('parseFirmwareFacts()', () => {
  test('reads versions and ranges with open ends', () => {
    expect(parsed(FACT)).toEqual([
      {
        id: 'a-fact',
        use: 'note',
        affected: [
          { from: [6, 5, 0], to: [6, 5, 4] },
          { from: null, to: [6, 4, 9] },
        ],
        notMentioned: [[6, 5, 2]],
        leastMemoryKb: null,
        summary: 'does something',
        todo: 'upgrade',
        warning: null,
        source: 'ta-p/361713',
        asOf: '2026-11-30',
      },
    ]);
  });

  test.each([
    { change: ['6.4.9', '6.4'], problem: /expected|string/u },
    { change: ['6.4.9', '6.x.9'], problem: /expected a version with three parts, such as 6\.5\.3/u },
    { change: ['{ to: 6.4.9 }', '{}'], problem: /expected "from", "to" or both/u },
    { change: ['use: note', 'use: memory'], problem: /leastMemoryKb: expected this key only for "memory"/u },
    { change: ['use: note', 'use: outage'], problem: /warning: expected this key only for "outage"/u },
    { change: ['    source: ta-p/361713\n', ''], problem: /source/u },
    { change: ['2026-11-30', 'November'], problem: /asOf/u },
    { change: [FACT, `${FACT}${FACT}`], problem: /the ID "a-fact" occurs twice/u },
  ])('refuses $change.1', ({ change: [from = '', to = ''], problem }) => {
    expect(() => parsed(FACT.replace(from, () => to))).toThrow(problem);
  });
});
