import { titleOf } from '../checks/registry.ts';
import { counted } from '../core/counted.ts';
import { sameSerial } from '../core/license/unit.ts';
import type { Change } from './change.ts';
import { licenseChanges } from './license-changes.ts';
import type { PreconditionState } from '../engine/precondition-state.ts';
import type { Snapshot } from './snapshot.ts';
import type { UnitState } from './unit-state.ts';

/** What changed since the snapshot, and what that means; of what did not change, nothing. */
export function changesSince(before: Snapshot, after: Snapshot): readonly Change[] {
  return [
    ...serialChanges(before, after.unit),
    ...licenseChanges(before, after.unit),
    ...tokenChanges(before.unit, after.unit),
    ...roleChanges(before.unit, after.unit),
    ...firmwareChanges(before, after.unit),
    ...policyChanges(before.unit, after.unit),
    ...preconditionChanges(before, after),
  ];
}

function serialChanges({ migration, unit }: Snapshot, { serial }: UnitState): readonly Change[] {
  const planned = migration.licenses.length > 0 ? unit.serial : (migration.serial ?? unit.serial);
  if (isSame(serial, unit.serial) && isSame(serial, planned)) return [];
  if (serial === null)
    return [{ kind: 'not-visible', what: 'The serial number is not told', means: 'See that the API answers' }];
  const what = `Serial number ${serial}, before ${unit.serial ?? 'not told'}`;
  if (planned === null || isSame(serial, planned)) return [{ kind: 'as-planned', what, means: 'As planned' }];
  return [{ kind: 'broken', what, means: `${planned} was planned: is this the right unit?` }];
}

function isSame(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : sameSerial(one, other);
}

function tokenChanges({ tokens: was }: UnitState, { tokens: is }: UnitState): readonly Change[] {
  if (was === null) return [];
  if (is === null) return [{ kind: 'not-visible', what: 'The tokens are not told', means: 'See that the API answers' }];
  const missing = was.assigned - is.assigned;
  const assigned =
    missing > 0
      ? [
          {
            kind: 'to-do' as const,
            what: `${String(is.assigned)} tokens are assigned, ${String(was.assigned)} were`,
            means: `${counted(missing, 'user')} must be given a token again`,
          },
        ]
      : [];
  if (is.total >= was.total) return assigned;
  const what = `${String(is.total)} tokens are on the unit, ${String(was.total)} were`;
  return [...assigned, { kind: 'to-do', what, means: 'Make them again from their licences' }];
}

function roleChanges(was: UnitState, is: UnitState): readonly Change[] {
  if (was.mode === is.mode) return [];
  if (is.mode === 'unknown')
    return [{ kind: 'not-visible', what: `It was ${was.mode}, and its role is not told now`, means: 'See SNMP' }];
  return [
    {
      kind: was.mode === 'unknown' ? 'as-planned' : 'to-do',
      what: `Its role is ${is.mode}, it was ${was.mode}`,
      means: 'See System > Administration > High Availability whether that is meant',
    },
  ];
}

function firmwareChanges({ migration, unit: { firmware: was } }: Snapshot, { firmware }: UnitState): readonly Change[] {
  const planned = migration.firmware ?? was;
  if (firmware === was && firmware === planned) return [];
  if (firmware === null)
    return [{ kind: 'not-visible', what: 'The firmware is not told', means: 'See that the API answers' }];
  const what = `Firmware ${firmware}, before ${was ?? 'not told'}`;
  // Without a plan for it any other version is worth knowing, and nothing more.
  return migration.firmware === null || firmware === migration.firmware
    ? [{ kind: 'as-planned', what, means: 'Licences and tokens stay' }]
    : [{ kind: 'to-do', what, means: `${migration.firmware} was planned` }];
}

function policyChanges({ policy: was }: UnitState, { policy: is }: UnitState): readonly Change[] {
  if (was === is || was === null) return [];
  if (is === null)
    return [{ kind: 'not-visible', what: `The firewall no longer tells its policy, ${was}`, means: 'See its token' }];
  return [{ kind: 'as-planned', what: `It matches ${is}, before ${was}`, means: 'The line below judges it' }];
}

function preconditionChanges(before: Snapshot, after: Snapshot): readonly Change[] {
  return after.preconditions.flatMap(({ id, state, summary }): readonly Change[] => {
    const was = before.preconditions.find((one) => one.id === id)?.state ?? 'not-configured';
    if (was === state) return [];
    return [{ kind: kindOf(state), what: `${titleOf(id)}: ${state}, before ${was}`, means: summary }];
  });
}

function kindOf(state: PreconditionState): Change['kind'] {
  switch (state) {
    case 'ok':
      return 'as-planned';
    case 'warning':
      return 'to-do';
    case 'broken':
      return 'broken';
    case 'blocked':
    case 'unknown':
    case 'not-configured':
      return 'not-visible';
  }
}
