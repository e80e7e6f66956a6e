import { expect, test } from 'vitest';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { CONTEXT, finding, round, type Special, TARGET } from '../../../support/checks/judged-round.ts';
import { intermittentFinding } from '../../../support/checks/sampled.ts';

const SHARE: Finding = { ...intermittentFinding({ '192.0.2.1': '.xxxxxx.............' }), subject: TARGET };
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
