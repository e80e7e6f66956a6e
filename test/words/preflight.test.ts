import { test } from 'vitest';
import { diagnose } from '../../src/engine/diagnose.ts';
import { changesSince, type Migration, snapshotOf, type UnitState } from '../../src/preflight/compare.ts';
import { changesText, planMigration, planText, usersText } from '../../src/preflight/preflight-text.ts';
import { CONTEXT, finding, judgedRound } from '../support/checks/judged-round.ts';
import { expectRecorded } from './recorded.ts';

const STYLE = { color: false, width: 100 } as const;
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
  licenses: [{ license: LICENSE, holder: OLD }],
  tokens: { total: 30, assigned: 12, pending: 3 },
  policy: 'policy 5 "fac-out"',
};
const STAYS: Migration = { unit: 'fac-1', serial: null, address: null, firmware: null, licenses: [] };
const WORKS = diagnose(judgedRound(), CONTEXT);
const BROKEN = diagnose(judgedRound(['internet', [finding('internet-unreachable')]]), CONTEXT);

/** Migrations, and the unit afterwards. */
const MIGRATIONS: Readonly<Record<string, readonly [Partial<Migration>, Partial<UnitState>, Partial<UnitState>]>> = {
  'nothing changes': [{}, {}, {}],
  'another serial number': [{ serial: NEW }, {}, { serial: NEW, licenses: [{ license: LICENSE, holder: NEW }] }],
  'another serial number, licence not moved': [{ serial: NEW }, {}, { serial: NEW }],
  'another address': [{ address: '10.0.0.9' }, {}, { policy: 'policy 7 "new"' }],
  'new firmware': [{ firmware: '8.0.3' }, {}, { firmware: '8.0.3' }],
  'firmware of before': [{ firmware: '8.0.3' }, {}, {}],
  'a member of a cluster': [{ serial: NEW }, { peers: [PEER], mode: 'cluster' }, { serial: NEW }],
  'a load balancer': [{ serial: NEW }, { mode: 'load-balancer' }, { serial: NEW }],
  'a unit that cannot be read': [
    { serial: NEW },
    { serial: null, firmware: null, licenses: [], tokens: null, policy: null },
    { serial: null, tokens: null },
  ],
  'to the cloud': [{ licenses: ['EFTM000000000002'] }, {}, { tokens: { total: 20, assigned: 2, pending: 0 } }],
};

const PAIR: Partial<UnitState> = { mode: 'cluster', peers: [PEER], ...heldBy(OLD, PEER) };
const UPGRADES = ['6.0.5', '6.0.7', '6.1.0', '6.2.0', '6.2.1', '6.4.9', '6.6.6', '6.6.7', null];

/** Recorded only for a path that works, and without the requirements that are met. */
const DETAILS: typeof MIGRATIONS = {
  'two licences, moved': [{ serial: NEW }, heldBy(OLD, OLD), { serial: NEW, ...heldBy(NEW, NEW) }],
  'two licences, one not moved, and users without tokens': [
    { serial: NEW },
    heldBy(OLD, OLD),
    { serial: NEW, ...heldBy(NEW, OLD), tokens: { total: 30, assigned: 10, pending: 0 } },
  ],
  'holders that are unknown or another unit': [{ serial: NEW }, heldBy(null, PEER), { serial: PEER }],
  'licences unknown afterwards': [{ serial: NEW }, heldBy(OLD, OLD), { serial: null, licenses: [], tokens: null }],
  'a licence that is not listed': [{ serial: NEW, licenses: ['EFTM000000000099'] }, {}, {}],
  'a licence that Fortinet has transferred already': [
    { serial: NEW },
    { licenses: [{ license: LICENSE, holder: NEW }] },
    { serial: NEW },
  ],
  'one of two licences': [{ serial: NEW, licenses: [LICENSE] }, heldBy(OLD, OLD), heldBy(NEW, OLD)],
  'an unchanged serial number': [{ serial: OLD.toLowerCase() }, {}, {}],
  'within a pair': [{ serial: PEER }, PAIR, { serial: PEER }],
  'half of a pair': [{ serial: NEW }, PAIR, { serial: NEW, ...heldBy(NEW, PEER) }],
  'a pair that runs alone afterwards': [{}, PAIR, { mode: 'standalone' }],
  'a role that is unknown': [{ serial: NEW }, { mode: 'unknown' }, { mode: 'cluster' }],
  'the address of a unit whose serial number is unknown': [{ address: '10.0.0.9' }, { serial: null }, {}],
  'the address of a virtual machine, with a hyphen': [{ address: '10.0.0.9' }, { serial: 'FAC-VM0000000001' }, {}],
  'the address of hardware': [{ address: '10.0.0.9' }, { serial: 'FAC3HFT000000001' }, {}],
  'a downgrade': [{ firmware: '6.4.9' }, {}, { firmware: '6.4.9' }],
  ...Object.fromEntries(
    UPGRADES.map((firmware) => [
      `from firmware ${firmware ?? 'that is unknown'} to 6.6.6`,
      [{ firmware: '6.6.6' }, { firmware }, { firmware: '6.6.6' }] as const,
    ]),
  ),
};

test('plans of migrations, and what has changed after them', async () => {
  const texts = Object.entries(MIGRATIONS).flatMap(([name, [change, before, after]]) => {
    const migration = { ...STAYS, ...change };
    const unit = { ...UNIT, ...before };
    const snapshot = snapshotOf(migration, unit, WORKS);
    const later = { ...unit, ...after };
    return [
      [`plan, ${name}`, planText(unit, planMigration(migration, unit, WORKS), STYLE)] as const,
      [
        `plan while the internet is unreachable, ${name}`,
        planText(unit, planMigration(migration, unit, BROKEN), STYLE),
      ] as const,
      [`changes, ${name}`, changesText(changesSince(snapshot, snapshotOf(migration, later, WORKS)), STYLE)] as const,
      [
        `changes, now broken, ${name}`,
        changesText(changesSince(snapshot, snapshotOf(migration, later, BROKEN)), STYLE),
      ] as const,
    ];
  });
  const details = Object.entries(DETAILS).map(([name, [change, before, after]]) => {
    const [migration, unit] = [
      { ...STAYS, ...change },
      { ...UNIT, ...before },
    ];
    const changes = changesSince(
      snapshotOf(migration, unit, WORKS),
      snapshotOf(migration, { ...unit, ...after }, WORKS),
    );
    const plan = planText(unit, planMigration(migration, unit, WORKS), STYLE);
    const both = `${plan}\n${changesText(changes, STYLE)}`;
    return [name, both.replaceAll(/^ {2}.*: yes\n {4}.*\n/gmu, '')] as const;
  });
  const users = usersText(
    { users: [{ name: 'alice', kind: 'local', token: 'FTKMOB00000001' }], unread: ['localusers'] },
    STYLE,
  );
  await expectRecorded('preflight', { ...Object.fromEntries([...texts, ...details]), users });
});
