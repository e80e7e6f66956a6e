import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/engine/diagnose.ts';
import {
  changesSince,
  type Migration,
  parseSnapshot,
  type Snapshot,
  snapshotOf,
  type UnitState,
} from '../../../src/preflight/compare.ts';
import { planMigration, type MigrationPlan } from '../../../src/preflight/preflight-text.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../support/checks/judged-round.ts';

const [OLD, PEER, NEW] = ['FACVM0000000001', 'FACVM0000000002', 'FACVM0000000009'] as const;
const [LICENSE, OTHER_LICENSE] = ['EFTM000000000001', 'EFTM000000000002'] as const;

/** Returns both licences with the serial numbers of the units that they are registered to. */
function heldBy(first: string | null, second: string | null): Pick<UnitState, 'licenses'> {
  return {
    licenses: [
      { license: LICENSE, holder: first },
      { license: OTHER_LICENSE, holder: second },
    ],
  };
}

const UNIT: UnitState = {
  name: 'fac-1',
  serial: OLD,
  peers: [],
  mode: 'standalone',
  firmware: '6.5.2',
  ...heldBy(OLD, OLD),
  tokens: { total: 30, assigned: 12, pending: 0 },
  policy: 'policy 5 "fac-out"',
};
const PAIR: Partial<UnitState> = { mode: 'cluster', peers: [PEER], ...heldBy(OLD, PEER) };
const STAYS: Migration = { unit: 'fac-1', serial: null, address: null, firmware: null, licenses: [] };

function planOf(
  migration: Partial<Migration>,
  unit: Partial<UnitState> = {},
  ...special: readonly Special[]
): MigrationPlan {
  return planMigration({ ...STAYS, ...migration }, { ...UNIT, ...unit }, diagnose(judgedRound(...special), CONTEXT));
}

function snapshot(
  migration: Partial<Migration>,
  unit: Partial<UnitState> = {},
  ...special: readonly Special[]
): Snapshot {
  return snapshotOf({ ...STAYS, ...migration }, { ...UNIT, ...unit }, diagnose(judgedRound(...special), CONTEXT));
}

// What people read is in test/golden/preflight.txt.
describe('a plan', () => {
  test.each<readonly [string, Partial<Migration>, Partial<UnitState>, MigrationPlan['reissued'], boolean]>([
    ['nothing that changes', {}, {}, 'none', false],
    ['the same serial number', { serial: OLD.toLowerCase() }, {}, 'none', false],
    ['another serial number', { serial: NEW }, {}, 'all', true],
    ['another serial number, where no licence is known', { serial: NEW }, { licenses: [] }, 'all', false],
    ['licences that are moved already', { serial: NEW }, heldBy(NEW, NEW), 'all', false],
    ['one of two licences', { serial: NEW, licenses: [LICENSE] }, {}, [LICENSE], true],
    ['one licence of an unknown number', { serial: NEW, licenses: [LICENSE] }, { licenses: [] }, [LICENSE], true],
    ['both licences', { serial: NEW, licenses: [LICENSE, OTHER_LICENSE] }, {}, 'all', true],
    ['the other member of a pair', { serial: PEER }, PAIR, 'none', false],
    ['one member of a pair', { serial: NEW }, PAIR, [LICENSE], true],
    ['a load balancer', { serial: NEW }, { mode: 'load-balancer' }, 'none', false],
    ['another address', { address: '10.0.0.6' }, {}, 'none', false],
    ['other firmware', { firmware: '8.0.3' }, {}, 'none', false],
  ])('for %s says whose tokens are issued again, and has a ticket or not', (...row) => {
    const [, migration, unit, reissued, hasTicket] = row;
    const plan = planOf(migration, unit);
    expect(plan.reissued).toEqual(reissued);
    expect([plan.ticket !== null, plan.cloud !== null]).toEqual([hasTicket, hasTicket]);
    expect(plan.losses.length > 0).toBe(reissued !== 'none');
    expect(plan.ticket?.includes(OTHER_LICENSE) ?? false).toBe(hasTicket && reissued === 'all');
  });

  test('loses everything with a downgrade, and nothing with an upgrade', () => {
    const losses = (firmware: string, present: string | null): number =>
      planOf({ firmware }, { firmware: present }).losses.length;
    expect([losses('6.4.9', '6.5.2'), losses('6.5.3', '6.5.2'), losses('6.4.9', null)]).toEqual([1, 0, 0]);
  });

  test.each<readonly [string, Special[]]>([
    ['where nothing else is broken', []],
    ['while the path of this machine is inspected', [['tls-genuine', [finding('tls-intercepted')]]]],
  ])('tells of the policy that a new address needs: %s', (_, special) => {
    const policy = finding('policy-inspects-traffic', { claim: 'Policy 9 inspects.' });
    const { requirements, losses } = planOf({ address: '10.0.0.6' }, {}, ...special, ['firewall-policy', [policy]]);
    expect(requirements.find(({ title }) => title.includes('10.0.0.6'))).toMatchObject({
      answer: 'fails',
      why: policy.claim,
    });
    expect(losses).toEqual([]);
  });

  test('does not take for good what nobody tells', () => {
    const answers = (unit: Partial<UnitState>): readonly string[] =>
      planOf({ serial: NEW }, unit).requirements.map(({ answer }) => answer);
    const known = answers({});
    expect(new Set(known)).toEqual(new Set(['passes']));
    for (const unit of [{ serial: null }, { mode: 'unknown' }] as const)
      expect(answers(unit).filter((answer) => answer === 'not-visible')).toHaveLength(1);
    expect(answers({ mode: 'load-balancer' })).toHaveLength(known.length - 1);
  });
});

describe('afterwards', () => {
  const replaced = { serial: NEW };
  const inspecting: Special = ['firewall-policy', [finding('policy-inspects-traffic')]];
  const unseen: Partial<UnitState> = { serial: null, licenses: [], tokens: null };

  test.each<readonly [string, Partial<Migration>, Partial<UnitState>, Partial<UnitState>, string]>([
    ['nothing has changed', {}, {}, {}, ''],
    ['all has moved', replaced, {}, { serial: NEW, ...heldBy(NEW, NEW) }, 'as-planned as-planned as-planned'],
    ['licences have not moved', replaced, {}, { serial: NEW }, 'as-planned to-do to-do'],
    ['users have no token', {}, {}, { tokens: { total: 30, assigned: 10, pending: 0 } }, 'to-do'],
    ['another unit answers', replaced, {}, { serial: PEER, ...heldBy(NEW, NEW) }, 'broken as-planned as-planned'],
    ['nothing is told', replaced, {}, unseen, 'not-visible not-visible not-visible not-visible'],
    ['one licence is elsewhere, as planned', { serial: NEW, licenses: [LICENSE] }, {}, heldBy(NEW, OLD), 'as-planned'],
    [
      'one member of a pair is replaced',
      replaced,
      PAIR,
      { serial: NEW, ...heldBy(NEW, PEER) },
      'as-planned as-planned',
    ],
    [
      'a former peer holds a licence',
      replaced,
      { peers: [PEER] },
      { serial: NEW, ...heldBy(PEER, NEW) },
      'as-planned to-do as-planned',
    ],
    ['a pair runs alone', {}, PAIR, { mode: 'standalone' }, 'to-do'],
    ['the firmware is another one', { firmware: '8.0.3' }, {}, { firmware: '8.0.3' }, 'as-planned'],
    ['the firmware is the same', { firmware: '8.0.3' }, {}, {}, 'to-do'],
    ['another policy matches', { address: '10.0.0.6' }, {}, { policy: 'policy 9 "all"' }, 'as-planned'],
  ])('%s', (_, ...[migration, before, after, kinds]) => {
    const changes = changesSince(snapshot(migration, before), snapshot(migration, { ...before, ...after }));
    expect(changes.map(({ kind }) => kind).join(' ')).toBe(kinds);
  });

  test('what works no longer is broken', () => {
    expect(changesSince(snapshot({}), snapshot({}, {}, inspecting)).map(({ kind }) => kind)).toEqual(['broken']);
  });
});

describe('a snapshot', () => {
  test('is read as it was written', () => {
    const written = snapshot({ serial: NEW });
    expect(parseSnapshot(JSON.stringify(written))).toEqual(written);
  });

  test.for([
    ['no JSON', '{', /JSON/u],
    ['something else', '{"version":1}', /at "site"/u],
    ['of a later version', JSON.stringify({ ...snapshot({}), version: 2 }), /at "version"/u],
  ] as const)('that is %s is refused', ([, text, message]) => {
    expect(() => parseSnapshot(text)).toThrow(message);
  });
});
