import { expect, test } from 'vitest';
import { wrapped } from '../../../src/cli/terminal.ts';

const TEXT = '/etc/a.yaml:5:74  key: cannot read this file\n    1. A step of several words.\nThen run: chmod o= "a b".';

test('wrapped() breaks lines below their first word, but no command, and nothing without a terminal', () => {
  expect(wrapped(TEXT, null)).toBe(TEXT);
  expect(wrapped(TEXT, 20).split('\n')).toEqual([
    '/etc/a.yaml:5:74 ',
    '  key: cannot read',
    '  this file',
    '    1. A step of',
    '       several',
    '       words.',
    'Then run:',
    '  chmod o= "a b".',
  ]);
});
