import { expect, it } from 'vitest';
import { judgeTokenPool } from '../../../../src/checks/token-pool/judge.ts';
import type { TokenCounts } from '../../../../src/core/license/appliance.ts';
import { applianceFacts } from '../../../support/appliance-facts.ts';

const COUNTED: TokenCounts = {
  total: 32,
  byStatus: { new: 0, available: 20, pending: 0, assigned: 12, other: 0 },
  byLicense: [{ license: 'EFTM000000000001', tokens: 30 }],
  locked: 0,
  withoutLicense: 2,
};

it.each<[string, Partial<TokenCounts>, readonly string[]]>([
  ['nothing', {}, []],
  [
    'pending tokens',
    { byStatus: { ...COUNTED.byStatus, available: 17, pending: 3 } },
    ['3 pending: given to users who have not activated them yet'],
  ],
  ['locked tokens', { locked: 2 }, ['2 locked: their users cannot log in with them until they are unlocked']],
  ['trial tokens of a registered unit', { byLicense: [{ license: 'FTMTRIAL00000001', tokens: 2 }] }, []],
  [
    'trial tokens of a unit that is not registered',
    { byLicense: [{ license: 'FTMTRIALNOREGIST', tokens: 2 }] },
    ['the trial tokens came with FTMTRIALNOREGIST: the unit is probably not registered with Fortinet'],
  ],
])('notes %s, and calls it no fault', (_, changes, expected) => {
  const facts = applianceFacts({ tokens: { kind: 'read', value: { ...COUNTED, ...changes } } });
  const findings = judgeTokenPool(facts, { licenses: [], tokensLow: 0.1 });
  expect(findings.map(({ actual }) => actual)).toEqual(expected);
  expect(findings.every(({ level }) => level === 'note')).toBe(true);
});
