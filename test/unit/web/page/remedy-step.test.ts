import { CAUSE_IDS, wordsOf } from '../../../../src/checks/registry.ts';
import { describe, expect, test } from 'vitest';
import { partsOfStep } from '../../../../src/web/page/remedy-step.ts';

describe('partsOfStep()', () => {
  test('finds commands among the words, and leaves names of menus and values alone', () => {
    expect(partsOfStep('Ask: "dig @9.9.9.9 example.org". With "no-inspection" it is "public".')).toEqual([
      { kind: 'text', text: 'Ask: ' },
      { kind: 'command', lines: ['dig @9.9.9.9 example.org'] },
      { kind: 'text', text: '. With "no-inspection" it is "public".' },
    ]);
  });

  test('leaves a step without commands as it is', () => {
    expect(partsOfStep('Order another licence in time.')).toEqual([
      { kind: 'text', text: 'Order another licence in time.' },
    ]);
  });

  test('puts the lines of a CLI that stand in a row under each other', () => {
    expect(
      partsOfStep(
        'As CLI lines: config firewall policy / edit 0 / set name "FAC-FTM" / end; then "show firewall policy".',
      ),
    ).toEqual([
      { kind: 'text', text: 'As CLI lines: ' },
      { kind: 'command', lines: ['config firewall policy', 'edit 0', 'set name "FAC-FTM"', 'end'] },
      { kind: 'text', text: 'then ' },
      { kind: 'command', lines: ['show firewall policy'] },
    ]);
  });

  test('is quick with a text that only looks like commands', () => {
    const hostile = `config a${' / b'.repeat(5_000)}${'"dig '.repeat(5_000)}`;

    expect(partsOfStep(hostile).length).toBeGreaterThan(0);
  }, 500);

  test('finds the commands of the catalogue', () => {
    const steps = CAUSE_IDS.map(wordsOf).flatMap(({ remedy, productRemedy }) => [
      ...remedy,
      ...Object.values(productRemedy ?? {}).flat(),
    ]);
    const commands = steps.flatMap(partsOfStep).flatMap((part) => (part.kind === 'command' ? [part.lines[0]] : []));

    expect(commands).toEqual(
      expect.arrayContaining([
        'ftm-watch check',
        'config firewall policy',
        'show router static',
        'dig {host} @ADDRESS',
      ]),
    );
  });
});
