import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/duration.ts';
import { type Finding, note, type Told } from '../../engine/finding.ts';
import type { ApplianceFacts, TokenCounts } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/license/resource.ts';
import { toldOf } from '../told-of-appliance.ts';

/** The licence of trial tokens that the REST API guide gives as an example (6.5.5/875895), without a number. */
const TRIAL_UNREGISTERED = 'FTMTRIALNOREGIST';

/** What is no fault of the pool, and explains why a user cannot activate or log in. */
export function tokenNotes(facts: ApplianceFacts, counted: TokenCounts | null): readonly Finding<never>[] {
  if (counted === null) return [];
  const { locked, byLicense, byStatus } = counted;
  const codeLife = valueOf(facts.provisioning)?.codeLife ?? null;
  const isUnregistered = byLicense.some(({ license }) => license.toUpperCase() === TRIAL_UNREGISTERED);
  return [
    ...(byStatus.pending === 0 ? [] : [note(toldOf(facts, pendingTold(counted, codeLife)))]),
    ...(locked === 0 ? [] : [note(toldOf(facts, lockedTold(locked)))]),
    ...(isUnregistered ? [note(toldOf(facts, TRIAL))] : []),
  ];
}

const MINUTE: Millis = 60_000;

const TRIAL: Told = {
  rule: 'unit-registered',
  claim: `The trial tokens came with ${TRIAL_UNREGISTERED}: the unit is probably not registered with Fortinet.`,
  expected: 'trial tokens of a registered unit',
  actual: `trial tokens came with ${TRIAL_UNREGISTERED}: the unit is probably not registered with Fortinet`,
};

function pendingTold(counted: TokenCounts, codeLife: Millis | null): Told {
  const actual = pendingText(counted, codeLife);
  return {
    rule: 'tokens-activated',
    claim: `Tokens: ${actual}.`,
    expected: 'no token waits to be activated',
    actual,
  };
}

function pendingText({ byStatus, pending = [] }: TokenCounts, codeLife: Millis | null): string {
  const given = `${String(byStatus.pending)} pending: given to users who have not activated them yet`;
  const oldest = Math.max(0, ...pending.map(({ age }) => age));
  if (oldest < MINUTE) return given;
  const overdue = codeLife === null ? 0 : pending.filter(({ age }) => age > codeLife).length;
  const since = `${given}, one for at least ${spanText(oldest)}`;
  if (codeLife === null || overdue === 0) return since;
  return `${since}; ${String(overdue)} for longer than the ${spanText(codeLife)} that a code lives: send them a new one`;
}

function lockedTold(locked: number): Told {
  const actual = `${String(locked)} locked: their users cannot log in with them until they are unlocked`;
  return { rule: 'tokens-unlocked', claim: `Tokens: ${actual}.`, expected: 'no token is locked', actual };
}
