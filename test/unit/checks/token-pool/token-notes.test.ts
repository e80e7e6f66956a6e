import { expect, it } from 'vitest';
import type { TokenCounts } from '../../../../src/core/license/appliance.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { judgeTokens, readUnit } from '../../../support/checks/judged-tokens.ts';

const COUNTED: TokenCounts = {
  total: 32,
  byStatus: { new: 0, available: 20, pending: 0, assigned: 12, other: 0 },
  byLicense: [{ license: 'EFTM000000000001', tokens: 30 }],
  locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
  withoutLicense: 2,
};

const HOUR = 3_600_000;

/** Returns counts with three pending tokens that have been seen for these times. */
function waiting(...ages: readonly number[]): Partial<TokenCounts> {
  const pending = ages.map((age, index) => ({ id: `token-${String(index)}`, age }));
  return { byStatus: { ...COUNTED.byStatus, available: 17, pending: 3 }, pending };
}

it.each<[string, Partial<TokenCounts>, readonly string[]]>([
  ['nothing', {}, []],
  [
    'pending tokens',
    { byStatus: { ...COUNTED.byStatus, available: 17, pending: 3 } },
    ['Tokens that are assigned but not activated yet: 3.'],
  ],
  ['those that were seen just now', waiting(0, 0, 0), ['Tokens that are assigned but not activated yet: 3.']],
  [
    'those whose codes still live',
    waiting(HOUR, 600_000, 0),
    ['Tokens that are assigned but not activated yet: 3, the oldest for at least 1 h.'],
  ],
  [
    'those whose codes are void',
    waiting(26 * HOUR, 2 * HOUR, HOUR),
    [
      'Tokens that are assigned but not activated yet: 3, the oldest for at least 1 d 2 h; codes are valid ' +
        'for 1 h, so new codes are needed for 2 of them.',
    ],
  ],
  [
    'locked tokens of users',
    { locked: { ...COUNTED.locked, assigned: 2 } },
    ['2 assigned tokens are locked, so their users cannot log in.'],
  ],
  [
    'free tokens that are locked, and one of a user',
    { locked: { ...COUNTED.locked, available: 4, assigned: 1 } },
    [
      '4 of 20 free tokens are locked and cannot be assigned (Authentication > User Management > FortiTokens).',
      'One assigned token is locked, so its user cannot log in.',
    ],
  ],
  ['trial tokens from a registered unit', { byLicense: [{ license: 'FTMTRIAL00000001', tokens: 2 }] }, []],
  [
    'trial tokens of a unit that is not registered',
    { byLicense: [{ license: 'FTMTRIALNOREGIST', tokens: 2 }] },
    ['The trial tokens have the licence FTMTRIALNOREGIST, so the unit is probably not registered with Fortinet.'],
  ],
])('notes %s, and calls it no fault', (_, changes, expected) => {
  const facts = applianceFacts({ tokens: { kind: 'read', value: { ...COUNTED, ...changes } } });
  const findings = judgeTokens([readUnit(facts)]);
  expect(findings.map(({ claim }) => claim)).toEqual(expected);
  expect(findings.every(({ level }) => level === 'note')).toBe(true);
});

it('does not judge the age of a code whose life is not told', () => {
  const tokens = { kind: 'read', value: { ...COUNTED, ...waiting(26 * HOUR) } } as const;
  const findings = judgeTokens([readUnit(applianceFacts({ tokens, provisioning: { kind: 'absent' } }))]);
  expect(findings[0]?.claim).toBe(
    'Tokens that are assigned but not activated yet: 3, the oldest for at least 1 d 2 h.',
  );
});
