import { sameSerial } from '../core/license/unit.ts';
import type { Change } from './change.ts';
import type { Migration } from './migration.ts';
import type { Snapshot } from './snapshot.ts';
import type { UnitState } from './unit-state.ts';

/** Where each licence is, and whether it belongs there. */
export function licenseChanges({ migration, unit }: Snapshot, after: UnitState): readonly Change[] {
  const numbers = new Set([...unit.licenses, ...after.licenses].map(({ license }) => license));
  return [...numbers].flatMap((license) => {
    const was = holderOf(license, unit);
    return licenseChange(
      { license, was, is: holderOf(license, after), target: targetOf(license, migration) ?? was },
      after,
    );
  });
}

interface Holders {
  readonly license: string;
  readonly was: string | null;
  readonly is: string | null;
  /** Who is to hold it. */
  readonly target: string | null;
}

function licenseChange({ license, was, is, target }: Holders, after: UnitState): readonly Change[] {
  if (is === null) return target === null ? [] : [untold(license)];
  if (target !== null && !sameSerial(is, target) && !isInPair(after, is))
    return [
      {
        kind: 'to-do',
        what: `${license} is registered to ${is}, not to ${target}`,
        means: 'New tokens cannot be provisioned until Fortinet moves it',
      },
    ];
  if (was !== null && sameSerial(was, is)) return [];
  return [{ kind: 'as-planned', what: `${license} is registered to ${is}`, means: 'Where it belongs' }];
}

function untold(license: string): Change {
  return {
    kind: 'not-visible',
    what: `Who holds ${license} is not told`,
    means: 'See it at support.fortinet.com, or configure "registration"',
  };
}

function targetOf(license: string, { serial, licenses }: Migration): string | null {
  return licenses.length === 0 || licenses.includes(license) ? serial : null;
}

function holderOf(license: string, { licenses }: UnitState): string | null {
  return licenses.find((held) => held.license === license)?.holder ?? null;
}

/** The members of a pair share their licences. */
function isInPair({ serial, peers, mode }: UnitState, holder: string): boolean {
  if (mode !== 'cluster') return false;
  return [serial, ...peers].some((member) => member !== null && sameSerial(member, holder));
}
