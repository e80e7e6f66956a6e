import { expect, test } from 'vitest';
import { shareFinding } from '../../../../src/checks/intermittent/finding.ts';
import { clear } from '../../../../src/checks/intermittent/connection-share.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CONTEXT, finding, round, type Special } from '../../../support/checks/judged-round.ts';

const FAULT = {
  stage: 'tls-genuine',
  cause: 'tls-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'A reset.',
} as const;
const SHARE = finding('tls-blocked', { ...shareFinding(clear(['192.0.2.1']), FAULT), level: 'warning' });
const small: Special = ['tls-genuine', [SHARE]];
const line = finding('polling-failing', { explainedBy: ['tls-genuine'] });
const datagram = finding('polling-failing', { ...line, level: 'warning', confidence: 'suspected' });

test.each<readonly [string, readonly Special[], readonly [state: string, blockedBy: readonly string[]]]>([
  ['a datagram is explained by a small share', [small, ['polling', [datagram]]], ['blocked', ['tls-genuine']]],
  [
    'a datagram is not explained by another warning',
    [
      ['tls-genuine', [finding('tls-blocked', { level: 'warning' })]],
      ['polling', [datagram]],
    ],
    ['warning', []],
  ],
  [
    'a datagram is explained by what is broken alone, where a small share stands behind it',
    [['reachability', [finding('egress-blocked')]], small, ['polling', [datagram]]],
    ['blocked', ['reachability']],
  ],
  ['what is sure is not explained by a small share', [small, ['polling', [line]]], ['broken', []]],
  [
    'what is not known is not explained by a small share',
    [small, ['polling', [finding(null, { level: 'unknown' })]]],
    ['unknown', []],
  ],
])('%s', (_, special, expected) => {
  const polling = diagnose(round(...special), CONTEXT).preconditions.find(({ id }) => id === 'polling');
  expect([polling?.state, polling?.blockedBy]).toEqual(expected);
});
