import { describe, expect, test } from 'vitest';
import { blocksOf, headOf, type CommandStep, shell } from '../../../../src/engine/model.ts';
import { remedyOf } from '../../../../src/engine/remedy-words.ts';

const FACTS = { subject: 'x:443', host: 'x.example', port: '443' };
const LONG: CommandStep = {
  text: 'Do it on {firewall}.',
  syntax: 'fortios',
  commands: ['config a', '    edit "{host}"', '    next', 'end'],
  undo: ['config a', '    delete {newid}', 'end'],
};

describe('remedyOf()', () => {
  test('keeps sentences, ends them with short commands, and leaves long blocks to the steps', () => {
    const { remedy } = remedyOf(['Ask {host}.', shell('Look.', 'dig {host}'), shell('Look.', 'a', '  b'), LONG], FACTS);
    expect(remedy).toEqual([
      'Ask x.example.',
      'Look. Command: "dig x.example".',
      'Look. Commands: "a", "b".',
      'Do it on the firewall.',
    ]);
  });

  test('tells a sentence, and a block with what has to be filled in', () => {
    expect(remedyOf(['Ask {host}.', LONG], FACTS).remedySteps).toEqual([
      { text: 'Ask x.example.', commands: null, undo: null, syntax: null, blanks: [] },
      {
        text: 'Do it on the firewall.',
        commands: 'config a\n    edit "x.example"\n    next\nend',
        undo: 'config a\n    delete FILL-IN-NEW-ID\nend',
        syntax: 'fortios',
        blanks: [{ name: 'FILL-IN-NEW-ID', meaning: 'the ID that the FortiGate assigned to the new policy' }],
      },
    ]);
  });
});

test('only a block without a blank is called ready', () => {
  const blocks = remedyOf(['Ask.', LONG], FACTS).remedySteps.flatMap(blocksOf);
  expect(blocks.map(headOf)).toEqual([
    'FortiGate CLI, ready to copy:',
    'Undo, not ready: FILL-IN-NEW-ID is the ID that the FortiGate assigned to the new policy:',
  ]);
});
