import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/duration.ts';
import { type Finding, note } from '../../engine/finding.ts';
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
    ...(byStatus.pending === 0
      ? []
      : [note(toldOf(facts, 'tokens-activated', 'no token waits to be activated', pendingText(counted, codeLife)))]),
    ...(locked === 0 ? [] : [note(toldOf(facts, 'tokens-unlocked', 'no token is locked', lockedText(locked)))]),
    ...(isUnregistered
      ? [note(toldOf(facts, 'unit-registered', 'trial tokens of a registered unit', TRIAL_TEXT))]
      : []),
  ];
}

const MINUTE: Millis = 60_000;

const TRIAL_TEXT = `trial tokens came with ${TRIAL_UNREGISTERED}: the unit is probably not registered with Fortinet`;

function pendingText({ byStatus, pending = [] }: TokenCounts, codeLife: Millis | null): string {
  const given = `${String(byStatus.pending)} pending: given to users who have not activated them yet`;
  const oldest = Math.max(0, ...pending.map(({ age }) => age));
  if (oldest < MINUTE) return given;
  const overdue = codeLife === null ? 0 : pending.filter(({ age }) => age > codeLife).length;
  const since = `${given}, one for at least ${spanText(oldest)}`;
  if (codeLife === null || overdue === 0) return since;
  return `${since}; ${String(overdue)} for longer than the ${spanText(codeLife)} that a code lives: send them a new one`;
}

function lockedText(locked: number): string {
  return `${String(locked)} locked: their users cannot log in with them until they are unlocked`;
}
