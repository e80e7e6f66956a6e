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
import { CONTEXT, finding, round, type Special } from '../../support/checks/judged-round.ts';

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
  tokens: { total: 30, assigned: 12, pending: 0 },
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

/** Returns the changes that are reported for the unit after the migration, as short lines. */
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
    expect(losses[1]).toContain('2025-08-04');
    expect(losses[2]).toContain('12 users with 30 tokens');
    expect(ticket).toContain(`- ${LICENSE}\n- ${OTHER_LICENSE}`);
    expect(ticket).toContain(OLD);
    expect(ticket).toContain(NEW);
  });

  test('who holds a licence is said only of what was seen', () => {
    const { losses, ticket } = planOf(
      { serial: NEW },
      {
        licenses: [
          { license: LICENSE, holder: null },
          { license: OTHER_LICENSE, holder: PEER },
        ],
      },
    );
    expect(losses[0]).toContain(`${LICENSE}: the unit is unknown`);
    expect(losses[0]).not.toContain('registered to');
    expect(losses[1]).toBe(`${OTHER_LICENSE}: registered to ${PEER}, not to ${NEW}.`);
    expect(ticket).toContain(`From the FortiAuthenticator with the serial number ${PEER}`);
    expect(planOf({ serial: NEW }, { licenses: [] }).losses.join(' ')).not.toContain('registered to');
    expect(planOf({ serial: NEW, licenses: ['EFTM000000000099'] }).losses[0]).not.toContain('registered to');
  });

  test('what Fortinet has transferred already needs no ticket, but its tokens have to be assigned again', () => {
    const { losses, notes, ticket, cloud } = planOf(
      { serial: NEW },
      { licenses: [{ license: LICENSE, holder: NEW }], tokens: { total: 30, assigned: 12, pending: 3 } },
    );
    expect({ ticket, cloud }).toEqual({ ticket: null, cloud: null });
    expect(notes).toContain(`${LICENSE}: already registered to ${NEW}.`);
    expect(losses[0]).toContain('15 users with 30 tokens, 3 of which are not activated yet');
  });

  test('what cannot be transferred can move to FortiIdentity Cloud', () => {
    const { cloud } = planOf({ serial: NEW });
    expect(cloud?.ticket).toContain(
      `- ${LICENSE}\n- ${OTHER_LICENSE}\nOn the FortiAuthenticator with the serial number ${OLD}`,
    );
    expect(cloud?.commands).toEqual([
      `execute fortitoken-cloud ftm-migrate ${LICENSE}`,
      `execute fortitoken-cloud ftm-migrate ${OTHER_LICENSE}`,
    ]);
    expect(planOf({}).cloud).toBeNull();
  });

  test('a number that nobody tells is left to be filled in, and is a requirement', () => {
    const unseen: Partial<UnitState> = { serial: null, licenses: [{ license: LICENSE, holder: null }] };
    const { ticket, requirements } = planOf({ serial: NEW }, unseen);
    expect(ticket).toContain('(fill in the serial number of the current unit)');
    expect(requirements.find(({ title }) => title.startsWith('Both serial'))?.answer).toBe('not-visible');
  });

  test('afterwards: moved and assigned again', () => {
    expect(told({ serial: NEW }, { after: MOVED })).toEqual([
      `as-planned: The serial number is ${NEW} (previously ${OLD})`,
      `as-planned: ${LICENSE} is registered to ${NEW}`,
      `as-planned: ${OTHER_LICENSE} is registered to ${NEW}`,
    ]);
  });

  test('afterwards: what Fortinet has not moved, and who has no token', () => {
    const after = { ...MOVED, licenses: UNIT.licenses, tokens: { total: 30, assigned: 10, pending: 0 } };
    expect(told({ serial: NEW }, { after })).toEqual([
      `as-planned: The serial number is ${NEW} (previously ${OLD})`,
      `to-do: ${LICENSE} is registered to ${OLD}, not to ${NEW}`,
      `to-do: ${OTHER_LICENSE} is registered to ${OLD}, not to ${NEW}`,
      'to-do: 10 assigned tokens (previously 12)',
    ]);
  });

  test('afterwards: another unit answers', () => {
    expect(told({ serial: NEW }, { after: { ...MOVED, serial: PEER } })[0]).toBe(
      `broken: The serial number is ${PEER} (previously ${OLD})`,
    );
  });

  test('afterwards: what is not told is not called moved', () => {
    const after: Partial<UnitState> = { serial: null, licenses: [], tokens: null };
    expect(told({ serial: NEW }, { after })).toEqual([
      'not-visible: The unit does not report its serial number',
      `not-visible: It is unknown which unit ${LICENSE} is registered to`,
      `not-visible: It is unknown which unit ${OTHER_LICENSE} is registered to`,
      'not-visible: The unit does not report its tokens',
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
  expect(notes[0]).toContain('does not change, so licences and tokens are kept');
  expect(told({ serial: OLD }, {})).toEqual([]);
});

describe('a new address', () => {
  test('loses nothing, and needs the policy of the new address', () => {
    const { losses, steps, requirements } = planOf({ address: '10.0.0.6' }, {}, [
      'firewall-policy',
      [finding('policy-inspects-traffic')],
    ]);
    expect(losses).toEqual([]);
    expect(steps.join(' ')).toContain('"firewall[].source" to 10.0.0.6');
    const policy = requirements.find(({ title }) => title.includes('the new address 10.0.0.6'));
    expect(policy?.answer).toBe('fails');
  });

  test('needs a new licence file for a virtual machine, whose licence is bound to an address', () => {
    const { steps } = planOf({ address: '10.0.0.6' });
    expect(steps[0]).toContain(`bound to one IP address of the unit`);
    expect(steps[0]).toContain(`set the new address for ${OLD}`);
    expect(steps[0]).toContain('six times');
    expect(steps[1]).toContain('reboots');
    expect(steps[1]).toContain('GUI stays locked');
    expect(planOf({ address: '10.0.0.6' }, { serial: 'FAC-VM0000000001' }).steps).toHaveLength(3);
    expect(planOf({ address: '10.0.0.6' }, { serial: null }).steps[0]).toMatch(/^If the unit is a virtual machine/u);
    expect(planOf({ address: '10.0.0.6' }, { serial: 'FAC3HFT000000001' }).steps).toHaveLength(1);
    expect(planOf({}).steps).toEqual([]);
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
        'as-planned: The traffic matches policy 9 "all" (previously policy 5 "fac-out")',
        'broken: Firewall policy: broken (previously ok)',
      ],
    );
  });
});

test('an upgrade: the serial number and all that hangs on it stay', () => {
  const { losses, notes, ticket } = planOf({ firmware: '8.0.3' });
  expect({ losses, ticket }).toEqual({ losses: [], ticket: null });
  expect(notes.join(' ')).toContain('An upgrade from 6.5.2 to 8.0.3');
  expect(told({ firmware: '8.0.3' }, { after: { firmware: '8.0.3' } })).toEqual([
    'as-planned: The firmware version is 8.0.3 (previously 6.5.2)',
  ]);
  expect(told({ firmware: '8.0.3' }, {})).toEqual(['to-do: The firmware version is 6.5.2 (previously 6.5.2)']);
});

describe('new firmware', () => {
  const stepsTo = (firmware: string, present: string | null): string =>
    planOf({ firmware }, { firmware: present }).steps.join(' ');

  test.for([
    ['6.0.5', '6.6.6', '6.0.5 → 6.0.7 → 6.6.6'],
    ['6.0.7', '6.6.6', '6.0.7 → 6.6.6'],
    ['6.1.0', '6.6.6', '6.1.0 → 6.3.3 → 6.6.6'],
    ['6.2.0', '6.6.6', '6.2.0 → 6.3.3 → 6.6.6'],
    ['6.2.1', '6.6.6', '6.2.1 → 6.6.6'],
    ['6.4.9', '6.6.6', '6.4.9 → 6.6.6. An intermediate upgrade to 6.5.6 may be needed'],
  ] as const)('%s to %s: its path', ([present, firmware, path]) => {
    const steps = stepsTo(firmware, present);
    expect(steps).toContain(`Supported upgrade path: ${path}.`);
    expect(steps).toContain('Back up the configuration');
    expect(steps).toContain('A downgrade resets the unit to factory defaults');
  });

  test('later than what the paths are known for: where they are listed', () => {
    expect(stepsTo('8.0.3', '6.6.6')).toContain('(community tip 195508) and the release notes for 8.0.3');
    expect(stepsTo('8.0.3', '6.6.6')).not.toContain('→');
  });

  test('an earlier one loses everything', () => {
    const { losses, notes, steps } = planOf({ firmware: '6.4.9' });
    expect(losses[0]).toContain('a downgrade from 6.5.2 to 6.4.9 resets it to factory defaults');
    expect(steps).toEqual(['Back up the configuration before each firmware change.']);
    expect(notes.join(' ')).not.toContain('an upgrade');
  });

  test('while the present one is not seen: what would happen if it were later', () => {
    const { losses, steps } = planOf({ firmware: '6.6.6' }, { firmware: null });
    expect(losses).toEqual([]);
    expect(steps[0]).toContain('If it is later than 6.6.6, the unit is reset');
  });

  test('says what begins between the two, and nothing of what was there before', () => {
    const notesTo = (firmware: string, present: string): string =>
      planOf({ firmware }, { firmware: present }).notes.join(' ');
    expect(notesTo('6.6.6', '6.4.9')).toMatch(/4 GB of memory.*offline activation/u);
    expect(notesTo('6.6.6', '6.5.2')).not.toContain('4 GB');
    expect(notesTo('8.0.3', '6.6.6')).not.toContain('offline');
    expect(notesTo('6.5.2', '6.5.2')).toContain('already has firmware 6.5.2');
    expect(stepsTo('6.5.2', '6.5.2')).toBe('');
  });
});

describe('one licence is transferred', () => {
  const transfer: Partial<Migration> = { serial: NEW, licenses: [LICENSE] };

  test('the others stay', () => {
    const { losses, ticket, reissued } = planOf(transfer);
    expect(reissued).toEqual([LICENSE]);
    expect(planOf(transfer, { licenses: [] }).reissued).toEqual([LICENSE]);
    expect(planOf({ serial: NEW, licenses: [LICENSE, OTHER_LICENSE] }).reissued).toBe('all');
    expect(planOf({ serial: NEW }).reissued).toBe('all');
    expect(planOf({}).reissued).toBe('none');
    expect(losses[0]).toMatch(new RegExp(`^${LICENSE}: registered to ${OLD}`, 'u'));
    expect(losses[2]).toContain('The tokens of these licences');
    expect(losses[2]).toContain('at most 12 users');
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
    expect(notes[0]).toContain('Both members have the tokens');
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
      `as-planned: The serial number is ${NEW} (previously ${OLD})`,
      `as-planned: ${LICENSE} is registered to ${NEW}`,
    ]);
  });

  test('afterwards: it runs alone', () => {
    expect(told({ firmware: null }, { before: pair, after: { mode: 'standalone' } })).toContain(
      'to-do: The role of the unit is standalone (previously cluster)',
    );
  });
});

test('a load balancer has no licence to lose', () => {
  const { losses, notes, ticket, requirements } = planOf({ serial: NEW }, { mode: 'load-balancer' });
  expect({ losses, ticket }).toEqual({ losses: [], ticket: null });
  expect(notes[0]).toContain('gets its tokens from its primary unit');
  expect(requirements.map(({ title }) => title)).not.toContain('Each licence is registered to the expected unit');
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
    [
      'something else',
      '{"version":1}',
      /expected a file from "ftm-watch preflight migration", but found an invalid value at "site"/u,
    ],
    ['of a later version', JSON.stringify({ ...snapshot({}), version: 2 }), /at "version"/u],
  ] as const)('that is %s is refused', ([, text, message]) => {
    expect(() => parseSnapshot(text)).toThrow(message);
  });
});
