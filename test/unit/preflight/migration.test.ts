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
import { CONTEXT, finding, round, type Special } from '../../support/judged-round.ts';

const OLD = 'FACVM0000000001';
const PEER = 'FACVM0000000002';
const NEW = 'FACVM0000000009';
const LICENSE = 'EFTM000000000001';
const OTHER_LICENSE = 'EFTM000000000002';

const UNIT: UnitState = {
  name: 'fac-1',
  serial: OLD,
  peers: [],
  mode: 'standalone',
  firmware: '6.5.2',
  licenses: [
    { license: LICENSE, holder: OLD },
    { license: OTHER_LICENSE, holder: OLD },
  ],
  tokens: { total: 30, assigned: 12 },
  policy: 'policy 5 "fac-out"',
};

const STAYS: Migration = { unit: 'fac-1', serial: null, address: null, firmware: null, licenses: [] };

function planOf(
  migration: Partial<Migration>,
  unit: Partial<UnitState> = {},
  ...special: readonly Special[]
): MigrationPlan {
  return planMigration({ ...STAYS, ...migration }, { ...UNIT, ...unit }, diagnose(round(...special), CONTEXT));
}

function snapshot(
  migration: Partial<Migration>,
  unit: Partial<UnitState> = {},
  ...special: readonly Special[]
): Snapshot {
  return snapshotOf({ ...STAYS, ...migration }, { ...UNIT, ...unit }, diagnose(round(...special), CONTEXT));
}

/** What is told of the unit after the migration, as short lines. */
function told(
  migration: Partial<Migration>,
  { before = {}, after = {} }: { readonly before?: Partial<UnitState>; readonly after?: Partial<UnitState> },
  ...special: readonly Special[]
): readonly string[] {
  const changes = changesSince(snapshot(migration, before), snapshot(migration, { ...before, ...after }, ...special));
  return changes.map(({ kind, what }) => `${kind}: ${what}`);
}

const MOVED: Partial<UnitState> = {
  serial: NEW,
  licenses: [
    { license: LICENSE, holder: NEW },
    { license: OTHER_LICENSE, holder: NEW },
  ],
};

describe('a unit is replaced by one with another serial number', () => {
  test('its licences and tokens are lost, and the ticket has both numbers', () => {
    const { losses, ticket } = planOf({ serial: NEW });
    expect(losses[0]).toContain(`${LICENSE}, ${OTHER_LICENSE}: registered to ${OLD}, not to ${NEW}`);
    expect(losses[0]).toContain('2025-08-04');
    expect(losses[1]).toContain('12 assigned tokens of 30');
    expect(ticket).toContain(`- ${LICENSE}\n- ${OTHER_LICENSE}`);
    expect(ticket).toContain(OLD);
    expect(ticket).toContain(NEW);
  });

  test('a number that nobody tells is left to be filled in, and is a requirement', () => {
    const { ticket, requirements } = planOf({ serial: NEW }, { serial: null });
    expect(ticket).toContain('(fill in: serial number of the present unit)');
    expect(requirements.find(({ title }) => title.startsWith('Both serial'))?.answer).toBe('not-visible');
  });

  test('afterwards: moved and assigned again', () => {
    expect(told({ serial: NEW }, { after: MOVED })).toEqual([
      `as-planned: Serial number ${NEW}, before ${OLD}`,
      `as-planned: ${LICENSE} is registered to ${NEW}`,
      `as-planned: ${OTHER_LICENSE} is registered to ${NEW}`,
    ]);
  });

  test('afterwards: what Fortinet has not moved, and who has no token', () => {
    const after = { ...MOVED, licenses: UNIT.licenses, tokens: { total: 30, assigned: 10 } };
    expect(told({ serial: NEW }, { after })).toEqual([
      `as-planned: Serial number ${NEW}, before ${OLD}`,
      `to-do: ${LICENSE} is registered to ${OLD}, not to ${NEW}`,
      `to-do: ${OTHER_LICENSE} is registered to ${OLD}, not to ${NEW}`,
      'to-do: 10 tokens are assigned, 12 were',
    ]);
  });

  test('afterwards: another unit answers', () => {
    expect(told({ serial: NEW }, { after: { ...MOVED, serial: PEER } })[0]).toBe(
      `broken: Serial number ${PEER}, before ${OLD}`,
    );
  });

  test('afterwards: what is not told is not called moved', () => {
    const after: Partial<UnitState> = { serial: null, licenses: [], tokens: null };
    expect(told({ serial: NEW }, { after })).toEqual([
      'not-visible: The serial number is not told',
      `not-visible: Who holds ${LICENSE} is not told`,
      `not-visible: Who holds ${OTHER_LICENSE} is not told`,
      'not-visible: The tokens are not told',
    ]);
  });
});

test('a unit that runs alone does not share the licences of its former peer', () => {
  const alone: Partial<UnitState> = { peers: [PEER] };
  const after: Partial<UnitState> = { ...MOVED, licenses: [{ license: LICENSE, holder: PEER }] };
  const before: Partial<UnitState> = { ...alone, licenses: [{ license: LICENSE, holder: OLD }] };
  expect(told({ serial: NEW }, { before, after })).toContain(
    `to-do: ${LICENSE} is registered to ${PEER}, not to ${NEW}`,
  );
});

test('the same serial number: nothing to do', () => {
  const { losses, notes, ticket } = planOf({ serial: OLD.toLowerCase() });
  expect({ losses, ticket }).toEqual({ losses: [], ticket: null });
  expect(notes[0]).toContain('licences and tokens stay, nothing to do');
  expect(told({ serial: OLD }, {})).toEqual([]);
});

describe('a new address', () => {
  test('loses nothing, and needs the policy of the new address', () => {
    const { losses, notes, requirements } = planOf({ address: '10.0.0.6' }, {}, [
      'firewall-policy',
      [finding('policy-inspects-traffic')],
    ]);
    expect(losses).toEqual([]);
    expect(notes.join(' ')).toContain('"firewall[].source" to 10.0.0.6');
    const policy = requirements.find(({ title }) => title.includes('the new address 10.0.0.6'));
    expect(policy?.answer).toBe('fails');
  });

  test('tells of its policy also while the path of this machine is inspected', () => {
    const { requirements } = planOf(
      { address: '10.0.0.6' },
      {},
      ['tls-genuine', [finding('tls-intercepted')]],
      ['firewall-policy', [finding('policy-inspects-traffic', { claim: 'Policy 9 inspects.' })]],
    );
    const policy = requirements.find(({ title }) => title.includes('the new address 10.0.0.6'));
    expect(policy).toMatchObject({ answer: 'fails', why: 'Policy 9 inspects.' });
  });

  test('afterwards: another policy, which inspects', () => {
    const after = { policy: 'policy 9 "all"' };
    expect(told({ address: '10.0.0.6' }, { after }, ['firewall-policy', [finding('policy-inspects-traffic')]])).toEqual(
      [
        'as-planned: It matches policy 9 "all", before policy 5 "fac-out"',
        'broken: Firewall policy: broken, before ok',
      ],
    );
  });
});

test('an upgrade: the serial number and all that hangs on it stay', () => {
  const { losses, notes, ticket } = planOf({ firmware: '8.0.3' });
  expect({ losses, ticket }).toEqual({ losses: [], ticket: null });
  expect(notes.join(' ')).toContain('Firmware 6.5.2 to 8.0.3');
  expect(told({ firmware: '8.0.3' }, { after: { firmware: '8.0.3' } })).toEqual([
    'as-planned: Firmware 8.0.3, before 6.5.2',
  ]);
  expect(told({ firmware: '8.0.3' }, {})).toEqual(['to-do: Firmware 6.5.2, before 6.5.2']);
});

describe('one licence is transferred', () => {
  const transfer: Partial<Migration> = { serial: NEW, licenses: [LICENSE] };

  test('the others stay', () => {
    const { losses, ticket } = planOf(transfer);
    expect(losses[0]).toMatch(new RegExp(`^${LICENSE}: registered to ${OLD}`, 'u'));
    expect(losses[1]).toContain('Tokens of these licences');
    expect(ticket).not.toContain(OTHER_LICENSE);
  });

  test('afterwards: the unit keeps its number, and the licence is elsewhere', () => {
    const after: Partial<UnitState> = {
      licenses: [
        { license: LICENSE, holder: NEW },
        { license: OTHER_LICENSE, holder: OLD },
      ],
    };
    expect(told(transfer, { after })).toEqual([`as-planned: ${LICENSE} is registered to ${NEW}`]);
  });
});

describe('a pair', () => {
  const pair: Partial<UnitState> = {
    mode: 'cluster',
    peers: [PEER],
    licenses: [
      { license: LICENSE, holder: OLD },
      { license: OTHER_LICENSE, holder: PEER },
    ],
  };

  test('to its other member: nothing is lost', () => {
    const { losses, notes, ticket } = planOf({ serial: PEER }, pair);
    expect({ losses, ticket }).toEqual({ losses: [], ticket: null });
    expect(notes[0]).toContain('both know the tokens');
  });

  test('one member is replaced: what the other one holds stays', () => {
    const { losses, notes, ticket } = planOf({ serial: NEW }, pair);
    expect(losses[0]).toMatch(new RegExp(`^${LICENSE}: registered`, 'u'));
    expect(ticket).not.toContain(OTHER_LICENSE);
    expect(notes[0]).toContain('keeps the licences');
    const after = {
      serial: NEW,
      licenses: [
        { license: LICENSE, holder: NEW },
        { license: OTHER_LICENSE, holder: PEER },
      ],
    };
    expect(told({ serial: NEW }, { before: pair, after })).toEqual([
      `as-planned: Serial number ${NEW}, before ${OLD}`,
      `as-planned: ${LICENSE} is registered to ${NEW}`,
    ]);
  });

  test('afterwards: it runs alone', () => {
    expect(told({ firmware: null }, { before: pair, after: { mode: 'standalone' } })).toContain(
      'to-do: Its role is standalone, it was cluster',
    );
  });
});

test('a load balancer has no licence to lose', () => {
  const { losses, notes, ticket, requirements } = planOf({ serial: NEW }, { mode: 'load-balancer' });
  expect({ losses, ticket }).toEqual({ losses: [], ticket: null });
  expect(notes[0]).toContain('takes its tokens from its primary');
  expect(requirements.map(({ title }) => title)).not.toContain('Each licence is where it is thought to be');
});

test('a role that nobody tells is not visible, and never good', () => {
  const { requirements } = planOf({ serial: NEW }, { mode: 'unknown' });
  expect(requirements.find(({ title }) => title.startsWith('The role'))?.answer).toBe('not-visible');
});

describe('a snapshot', () => {
  test('is read as it was written', () => {
    const written = snapshot({ serial: NEW });
    expect(parseSnapshot(JSON.stringify(written))).toEqual(written);
  });

  test.for([
    ['no JSON', '{', /JSON/u],
    ['something else', '{"version":1}', /expected what "ftm-watch preflight migration" writes at "site"/u],
    ['of a later version', JSON.stringify({ ...snapshot({}), version: 2 }), /at "version"/u],
  ] as const)('that is %s is refused', ([, text, message]) => {
    expect(() => parseSnapshot(text)).toThrow(message);
  });
});
