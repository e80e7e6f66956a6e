import { describe, expect, it } from 'vitest';
import type { ApplianceFacts, TokenCounts } from '../../../../src/core/license/appliance.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { judgeTokens, readUnit } from '../../../support/checks/judged-tokens.ts';

const EXPECTED = { licenses: ['EFTM000000000001'], tokensLow: 0.1 };

function tokens(left: number, assigned: number, more: Partial<TokenCounts> = {}): ApplianceFacts['tokens'] {
  return {
    kind: 'read',
    value: {
      total: left + assigned,
      byStatus: { new: 0, available: left, pending: 0, assigned, other: 0 },
      byLicense: [{ license: 'EFTM000000000001', tokens: left + assigned }],
      locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
      withoutLicense: 0,
      ...more,
    },
  };
}

function unnamed(available: number, assigned: number, other: number): TokenCounts['byStatus'] {
  return { new: 0, available, pending: 0, assigned, other };
}

function lockedFree(available: number): TokenCounts['locked'] {
  return unnamed(available, 0, 0);
}

function licensed(total: number, available: number | null = null): ApplianceFacts['licensed'] {
  return { kind: 'read', value: { total, used: null, available } };
}

const failed = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;

interface Row {
  readonly name: string;
  readonly facts: Partial<Pick<ApplianceFacts, 'licensed' | 'tokens'>>;
  readonly expected: readonly (readonly [rule: string, level: string, suggests: string | null])[];
}

const ROWS: readonly Row[] = [
  { name: 'all well', facts: {}, expected: [] },
  {
    name: 'fewer tokens than licensed',
    facts: { licensed: licensed(100), tokens: tokens(50, 40) },
    expected: [['tokens-match-licence', 'warning', 'token-count-mismatch']],
  },
  {
    name: 'more tokens than licensed',
    facts: { licensed: licensed(10), tokens: tokens(50, 40) },
    expected: [['tokens-match-licence', 'warning', 'token-count-mismatch']],
  },
  { name: 'exactly the share left', facts: { licensed: licensed(100), tokens: tokens(10, 90) }, expected: [] },
  {
    name: 'one below the share',
    facts: { licensed: licensed(100), tokens: tokens(9, 91) },
    expected: [['tokens-left', 'warning', 'tokens-running-out']],
  },
  {
    name: 'none left',
    facts: { licensed: licensed(100), tokens: tokens(0, 100) },
    expected: [['tokens-left', 'broken', 'tokens-exhausted']],
  },
  {
    name: 'all of an unknown status, while the licence says that some are left',
    facts: { licensed: licensed(32, 30), tokens: tokens(0, 2, { total: 32, byStatus: unnamed(0, 2, 30) }) },
    expected: [],
  },
  {
    name: 'some of an unknown status, and the licence says that none is left',
    facts: { licensed: licensed(32, 0), tokens: tokens(0, 2, { total: 32, byStatus: unnamed(0, 2, 30) }) },
    expected: [['tokens-left', 'broken', 'tokens-exhausted']],
  },
  {
    name: 'all of an unknown status, and the licence does not say how many are left',
    facts: { licensed: licensed(32), tokens: tokens(0, 2, { total: 32, byStatus: unnamed(0, 2, 30) }) },
    expected: [['tokens-left', 'unknown', null]],
  },
  {
    name: 'enough that are free for certain, whatever the others are',
    facts: { licensed: licensed(100), tokens: tokens(50, 49, { total: 100, byStatus: unnamed(50, 49, 1) }) },
    expected: [],
  },
  {
    name: 'exactly the share that is free for certain',
    facts: { licensed: licensed(100), tokens: tokens(10, 50, { total: 100, byStatus: unnamed(10, 50, 40) }) },
    expected: [],
  },
  {
    name: 'less than the share that is free for certain',
    facts: { licensed: licensed(100), tokens: tokens(9, 50, { total: 100, byStatus: unnamed(9, 50, 41) }) },
    expected: [['tokens-left', 'unknown', null]],
  },
  {
    name: 'locked ones do not count as left',
    facts: { licensed: licensed(100), tokens: tokens(13, 87, { locked: lockedFree(4) }) },
    expected: [
      ['tokens-left', 'warning', 'tokens-running-out'],
      ['free-tokens-unlocked', 'note', null],
    ],
  },
  {
    name: 'all that are left are locked',
    facts: { licensed: licensed(100), tokens: tokens(4, 96, { locked: lockedFree(4) }) },
    expected: [
      ['tokens-left', 'broken', 'tokens-exhausted'],
      ['free-tokens-unlocked', 'note', null],
    ],
  },
  {
    name: 'new ones count as left',
    facts: {
      licensed: licensed(100),
      tokens: tokens(5, 90, { total: 100, byStatus: { ...unnamed(5, 90, 0), new: 5 } }),
    },
    expected: [],
  },
  {
    name: 'no licence active',
    facts: { licensed: licensed(0), tokens: tokens(0, 0, { byLicense: [] }) },
    expected: [['licence-active', 'note', null]],
  },
  {
    name: 'the list failed: the licence stands in',
    facts: { licensed: licensed(100, 0), tokens: failed },
    expected: [
      ['tokens-readable', 'unknown', null],
      ['tokens-left', 'broken', 'tokens-exhausted'],
    ],
  },
  {
    name: 'the licence failed: no comparison',
    facts: { licensed: failed, tokens: tokens(50, 50) },
    expected: [['token-licence-readable', 'unknown', null]],
  },
  {
    name: 'neither in this firmware',
    facts: { licensed: { kind: 'absent' }, tokens: { kind: 'absent' } },
    expected: [
      ['token-licence-readable', 'note', null],
      ['tokens-readable', 'note', null],
    ],
  },
  {
    name: 'a configured licence that brought no tokens',
    facts: {
      licensed: licensed(100),
      tokens: tokens(50, 50, { byLicense: [{ license: 'EFTM000000000002', tokens: 100 }] }),
    },
    expected: [['licence-brought-tokens', 'note', null]],
  },
];

describe('the tokens of a unit', () => {
  it.each(ROWS)('$name', ({ facts, expected }) => {
    expect(
      judgeTokens([readUnit(applianceFacts(facts), EXPECTED)]).map(({ rule, level, suggests }) => [
        rule,
        level,
        suggests,
      ]),
    ).toEqual(expected);
  });

  it('says how many are left of how many', () => {
    const [finding] = judgeTokens([
      readUnit(applianceFacts({ licensed: licensed(1000), tokens: tokens(5, 995) }), EXPECTED),
    ]);
    expect(finding).toMatchObject({
      subject: 'fac-1',
      expected: 'at least 10 % of the tokens are free',
      facts: { appliance: 'fac-1', serial: 'FAC-A' },
    });
  });

  it.each<readonly [string, Row['facts'], told: readonly (readonly [expected: string, claim: string])[]]>([
    [
      'another count than licensed',
      { licensed: licensed(10), tokens: tokens(50, 40) },
      [
        [
          '10 FortiToken Mobile tokens, as licensed',
          'There are 90 tokens (50 available, 40 assigned), but 10 are licensed.',
        ],
      ],
    ],
    [
      'none left',
      { licensed: licensed(9), tokens: tokens(0, 9) },
      [['at least one free token', 'All 9 tokens are assigned.']],
    ],
    [
      'no licence active',
      { licensed: licensed(0), tokens: tokens(0, 0) },
      [
        [
          'an activated FortiToken Mobile licence',
          'There are no FortiToken Mobile tokens, because no licence is activated yet.',
        ],
      ],
    ],
    [
      'a status that is not known here',
      { licensed: licensed(32), tokens: tokens(0, 2, { total: 32, byStatus: unnamed(0, 2, 30) }) },
      [['enough free tokens', 'At least 0 of 32 tokens are free, and the status of 30 tokens is not documented.']],
    ],
    [
      'tokens of another licence',
      { licensed: licensed(9), tokens: tokens(9, 0, { byLicense: [{ license: 'EFTM000000000002', tokens: 9 }] }) },
      [
        [
          'tokens from licence EFTM000000000001 on the appliance',
          'Licence EFTM000000000001 is not activated on this unit, because the tokens on this unit are from ' +
            'EFTM000000000002 (9).',
        ],
      ],
    ],
    [
      'tokens of no licence',
      { licensed: licensed(9), tokens: tokens(9, 0, { byLicense: [] }) },
      [
        [
          'tokens from licence EFTM000000000001 on the appliance',
          'Licence EFTM000000000001 is not activated on this unit, because the tokens on this unit are from no ' +
            'named licence.',
        ],
      ],
    ],
    [
      'nothing to be read',
      { licensed: { kind: 'absent' }, tokens: failed },
      [
        [
          'the number of licensed FortiToken Mobile tokens',
          'This firmware does not provide the number of licensed FortiToken Mobile tokens.',
        ],
        ['the list of FortiToken Mobile tokens', 'The list of FortiToken Mobile tokens could not be read (timeout).'],
      ],
    ],
    [
      'no right to read',
      {
        licensed: licensed(9),
        tokens: { kind: 'denied', status: 403, message: 'The list of FortiToken Mobile tokens could not be read.' },
      },
      [['the list of FortiToken Mobile tokens', 'The list of FortiToken Mobile tokens could not be read.']],
    ],
  ])('tells of %s', (_, facts, told) => {
    expect(
      judgeTokens([readUnit(applianceFacts(facts), EXPECTED)]).map(({ expected, claim }) => [expected, claim]),
    ).toEqual(told);
  });

  it('names the licence that brought no tokens, beside one that did', () => {
    const byLicense = ['EFTM000000000001', 'EFTM000000000002'].map((license) => ({ license, tokens: 50 }));
    const facts = applianceFacts({ licensed: licensed(100), tokens: tokens(50, 50, { byLicense }) });
    const licenses = ['EFTM000000000001', 'EFTM000000000003'];
    expect(judgeTokens([readUnit(facts, { ...EXPECTED, licenses })]).map((finding) => finding.facts)).toEqual([
      { appliance: 'fac-1', serial: 'FAC-A', license: 'EFTM000000000003' },
    ]);
  });

  it('never warns of a share of 0', () => {
    const suggested = (left: number, assigned: number) => {
      const facts = applianceFacts({ licensed: licensed(left + assigned), tokens: tokens(left, assigned) });
      return judgeTokens([readUnit(facts, { ...EXPECTED, tokensLow: 0 })]).map(({ suggests }) => suggests);
    };
    expect(suggested(0, 9)).toEqual(['tokens-exhausted']);
    expect(suggested(1, 999)).toEqual([]);
  });

  it('is unknown of an appliance that cannot be read: why is said by another precondition', () => {
    const denied = { kind: 'denied', appliance: 'fac-1', endpoint: '10.0.0.5:443', status: 401 } as const;
    const other = readUnit(applianceFacts({ appliance: 'fac-2', system: { serial: 'FAC-C' } }), { name: 'fac-2' });
    expect(judgeTokens([readUnit(denied, EXPECTED), other])).toMatchObject([
      {
        rule: 'tokens-readable',
        subject: 'fac-1',
        level: 'unknown',
        suggests: null,
        facts: { appliance: 'fac-1' },
      },
    ]);
  });
});
