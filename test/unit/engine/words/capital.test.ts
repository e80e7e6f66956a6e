import { expect, test } from 'vitest';
import { capital } from '../../../../src/engine/words.ts';

test.each([
  ['the firewall resets it', 'The firewall resets it'],
  ['policy 5', 'Policy 5'],
  ["fortinet's server", "Fortinet's server"],
  ['éclair', 'Éclair'],
  ['down', 'Down'],
  ['', ''],
])('%j begins with a word', (text, begun) => {
  expect(capital(text)).toBe(begun);
});

test.each(['license.example.test:443: closed', 'fac-1: closed', 'fac1 answers', 'mail: refused', '2 of 3', '“x” y'])(
  '%j begins with a name or number, which stays',
  (text) => {
    expect(capital(text)).toBe(text);
  },
);
