import { test } from 'vitest';
import { diagnose } from '../../src/engine/diagnose.ts';
import { changesSince, type Migration, snapshotOf, type UnitState } from '../../src/preflight/compare.ts';
import { changesText, planMigration, planText, usersText } from '../../src/preflight/preflight-text.ts';
import { CONTEXT, finding, round } from '../support/checks/judged-round.ts';
import { expectRecorded } from './recorded.ts';

const STYLE = { color: false, width: 100 } as const;
const [OLD, NEW, LICENSE] = ['FACVM0000000001', 'FACVM0000000009', 'EFTM000000000001'] as const;

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
const WORKS = diagnose(round(), CONTEXT);
const BROKEN = diagnose(round(['internet', [finding('internet-unreachable')]]), CONTEXT);

/** Migrations, and the unit afterwards. */
const MIGRATIONS: Readonly<Record<string, readonly [Partial<Migration>, Partial<UnitState>, Partial<UnitState>]>> = {
  'nothing changes': [{}, {}, {}],
  'another serial number': [{ serial: NEW }, {}, { serial: NEW, licenses: [{ license: LICENSE, holder: NEW }] }],
  'another serial number, licence not moved': [{ serial: NEW }, {}, { serial: NEW }],
  'another address': [{ address: '10.0.0.9' }, {}, { policy: 'policy 7 "new"' }],
  'new firmware': [{ firmware: '8.0.3' }, {}, { firmware: '8.0.3' }],
  'firmware of before': [{ firmware: '8.0.3' }, {}, {}],
  'a member of a cluster': [{ serial: NEW }, { peers: ['FACVM0000000002'], mode: 'cluster' }, { serial: NEW }],
  'a load balancer': [{ serial: NEW }, { mode: 'load-balancer' }, { serial: NEW }],
  'a unit that cannot be read': [
    { serial: NEW },
    { serial: null, firmware: null, licenses: [], tokens: null, policy: null },
    { serial: null, tokens: null },
  ],
  'to the cloud': [{ licenses: ['EFTM000000000002'] }, {}, { tokens: { total: 20, assigned: 2, pending: 0 } }],
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
  const users = usersText(
    { users: [{ name: 'alice', kind: 'local', token: 'FTKMOB00000001' }], unread: ['localusers'] },
    STYLE,
  );
  await expectRecorded('preflight', { ...Object.fromEntries(texts), users });
});
