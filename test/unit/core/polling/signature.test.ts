import { describe, expect, test } from 'vitest';
import {
  type Signature,
  compileSignatures,
  matchFirewall,
  matchLoosely,
  matchMessage,
} from '../../../../src/core/polling/signature.ts';

const base = { cause: null, severity: 'warning', summary: 's', remedy: ['r'], source: 'x' } as const;
const message = (id: string, ...texts: readonly string[]): Signature => ({ kind: 'message', id, texts, ...base });

const set = compileSignatures([
  message('exact', 'Polling error: time*out'),
  message('general', 'Polling error'),
  message('short-start', 'FTM *does not belong'),
  message('pasted', '*somewhere in it'),
  { kind: 'firewall', id: 'wall', fields: { subtype: 'ssl', action: 'resign' }, ...base },
]);

describe('matchMessage', () => {
  test.each([
    { message: 'Polling error: time is out of joint', id: 'exact' },
    { message: 'Polling error: out of time', id: 'general' },
    { message: 'FTM x does not belong', id: 'short-start' },
    { message: 'a Polling error', id: null },
    { message: 'polling error', id: null },
    { message: 'it is somewhere in it', id: null },
    { message: '', id: null },
  ])('takes "$message" for $id', ({ message: text, id }) => {
    expect(matchMessage(set.anchored, text)?.id ?? null).toBe(id);
  });
});

describe('matchLoosely', () => {
  test.each([
    { line: 'a POLLING   ERROR', id: 'general' },
    { line: 'it is SOMEWHERE in\tit', id: 'pasted' },
    { line: 'nothing', id: null },
  ])('takes "$line" for $id', ({ line, id }) => {
    expect(matchLoosely(set, line)?.id ?? null).toBe(id);
  });
});

describe('matchFirewall', () => {
  test('wants all fields', () => {
    expect(
      matchFirewall(
        set,
        new Map([
          ['subtype', 'ssl'],
          ['action', 'resign'],
        ]),
      )?.id,
    ).toBe('wall');
    expect(matchFirewall(set, new Map([['action', 'resign']]))).toBeNull();
  });
});

describe('compileSignatures', () => {
  test('chooses few needles: the name of the product, beginnings from a capital letter on, first fields, and none that another finds', () => {
    expect([...set.needles].toSorted()).toEqual(['FTM ', 'FortiToken Mobile', 'Polling error', 'subtype="ssl"']);
  });
});
