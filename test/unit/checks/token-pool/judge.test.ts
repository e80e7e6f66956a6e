import { describe, expect, it } from 'vitest';
import type { ApplianceFacts, TokenCounts } from '../../../../src/core/license/appliance.ts';
import { tokenPool } from '../../../../src/checks/token-pool/judge.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { factsOf } from '../../../support/checks/facts.ts';
import { judgeTokens, readUnit, tokens } from '../../../support/checks/judged-tokens.ts';
import { picture } from '../../../support/checks/observed.ts';

const EXPECTED = { licenses: ['EFTM000000000001'], tokensLow: 0.1 };

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

type Facts = Partial<Pick<ApplianceFacts, 'licensed' | 'tokens'>>;

const MISMATCH = 'tokens-match-licence warning token-count-mismatch';
const RUNNING_OUT = 'tokens-left warning tokens-running-out';
const EXHAUSTED = 'tokens-left broken tokens-exhausted';
const UNCLEAR = 'tokens-left unknown -';
const LOCKED = 'free-tokens-unlocked note -';

/** Of so many licensed tokens, the status of some is not documented. */
function undocumented(total: number, status: TokenCounts['byStatus'], available: number | null = null): Facts {
  return { licensed: licensed(total, available), tokens: tokens(0, 0, { total, byStatus: status }) };
}

function counted(total: number, ...[left, assigned, more]: Parameters<typeof tokens>): Facts {
  return { licensed: licensed(total), tokens: tokens(left, assigned, more) };
}

type Row = [name: string, Facts, ...expected: string[]];

const ROWS: readonly Row[] = [
  ['all well', {}],
  ['fewer tokens than licensed', counted(100, 50, 40), MISMATCH],
  ['more tokens than licensed', counted(10, 50, 40), MISMATCH],
  ['exactly the share left', counted(100, 10, 90)],
  ['one below the share', counted(100, 9, 91), RUNNING_OUT],
  ['none left', counted(100, 0, 100), EXHAUSTED],
  ['some of an unknown status, while the licence says that some are left', undocumented(32, unnamed(0, 2, 30), 30)],
  ['some of an unknown status, and none left by the licence', undocumented(32, unnamed(0, 2, 30), 0), EXHAUSTED],
  ['some of an unknown status, and the licence does not say', undocumented(32, unnamed(0, 2, 30)), UNCLEAR],
  ['enough that are free for certain, whatever the others are', undocumented(100, unnamed(50, 49, 1))],
  ['exactly the share that is free for certain', undocumented(100, unnamed(10, 50, 40))],
  ['less than the share that is free for certain', undocumented(100, unnamed(9, 50, 41)), UNCLEAR],
  ['locked ones do not count as left', counted(100, 13, 87, { locked: lockedFree(4) }), RUNNING_OUT, LOCKED],
  ['all that are left are locked', counted(100, 4, 96, { locked: lockedFree(4) }), EXHAUSTED, LOCKED],
  ['new ones count as left', counted(100, 5, 90, { total: 100, byStatus: { ...unnamed(5, 90, 0), new: 5 } })],
  ['no licence active', counted(0, 0, 0, { byLicense: [] }), 'licence-active note -'],
  [
    'the list failed: the licence stands in',
    { licensed: licensed(100, 0), tokens: failed },
    'tokens-readable unknown -',
    EXHAUSTED,
  ],
  [
    'the licence failed: no comparison',
    { licensed: failed, tokens: tokens(50, 50) },
    'token-licence-readable unknown -',
  ],
  [
    'neither in this firmware',
    { licensed: { kind: 'absent' }, tokens: { kind: 'absent' } },
    'token-licence-readable note -',
    'tokens-readable note -',
  ],
  [
    'a configured licence that brought no tokens',
    counted(100, 50, 50, { byLicense: [{ license: 'EFTM000000000002', tokens: 100 }] }),
    'licence-brought-tokens note -',
  ],
  ['tokens whose licences are not reported', counted(100, 50, 50, { byLicense: [], withoutLicense: 100 })],
];

describe('the tokens of a unit', () => {
  it.each<Row>(ROWS)('%s', (_, facts, ...expected) => {
    const findings = judgeTokens([readUnit(applianceFacts(facts), EXPECTED)]);
    expect(findings.map(({ rule, level, suggests }) => `${rule} ${level} ${suggests ?? '-'}`)).toEqual(expected);
  });

  it('are those of the unit that was asked', () => {
    const [finding] = judgeTokens([readUnit(applianceFacts(counted(1000, 5, 995)), EXPECTED)]);
    expect(finding).toMatchObject({ subject: 'fac-1', facts: { appliance: 'fac-1', serial: 'FAC-A' } });
  });

  it('names the licence that brought no tokens, beside one that did', () => {
    const byLicense = ['EFTM000000000001', 'EFTM000000000002'].map((license) => ({ license, tokens: 50 }));
    const facts = applianceFacts({ licensed: licensed(100), tokens: tokens(50, 50, { byLicense }) });
    const licenses = ['EFTM000000000001', 'EFTM000000000003'];
    expect(judgeTokens([readUnit(facts, { ...EXPECTED, licenses })]).map((finding) => finding.facts)).toEqual([
      { appliance: 'fac-1', serial: 'FAC-A', license: 'EFTM000000000003' },
    ]);
  });

  it.each<[string, Facts, boolean]>([
    ['no licence is active', counted(0, 0, 0, { byLicense: [] }), false],
    ['no licences are reported', { licensed: { kind: 'absent' } }, false],
    ['both are known', {}, true],
  ])('match the licence only if this is known: %s', (_, facts, isKnown) => {
    const appliances = [readUnit(applianceFacts(facts), EXPECTED)];
    const own = tokenPool.judge(factsOf({ picture: picture({ appliances }) }));
    // What could not be compared is said instead, with the unit's name.
    expect(own.summary.startsWith('fac-1: ')).toBe(!isKnown);
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
      { rule: 'tokens-readable', subject: 'fac-1', level: 'unknown', suggests: null, facts: { appliance: 'fac-1' } },
    ]);
  });
});
