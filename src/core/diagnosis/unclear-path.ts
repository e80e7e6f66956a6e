import type { CauseId } from '../cause.ts';
import type { Finding } from '../finding.ts';
import { nameList } from '../name-list.ts';
import { titleOf } from '../precondition.ts';
import { PATH } from './explanations.ts';
import type { JudgedState, JudgedStates } from './states.ts';

/**
 * The stages of this machine's path that are not proven clean, where FortiAuthenticator complains: both views may show
 * one fault. Empty where every stage is ok, and for any other cause.
 */
export function unclearStages(cause: CauseId, states: JudgedStates): readonly JudgedState[] {
  if (cause !== 'polling-failing') return [];
  return PATH.flatMap((id) => states.get(id) ?? []).filter(({ state }) => state !== 'ok' && state !== 'not-configured');
}

/** `Genuine TLS is unknown, Reachability has a warning`. */
export function unclearText(stages: readonly JudgedState[]): string {
  return nameList(
    stages.map(({ assessment: { id }, state }) => {
      const title = titleOf(id);
      return state === 'warning' ? `${title} has a warning` : `${title} is ${state}`;
    }),
  );
}

const MOST_WITNESSES = 5;

/** What was found there, as evidence. */
export function witnessesOf(stages: readonly JudgedState[]): readonly Finding[] {
  return stages
    .flatMap(({ assessment }) => assessment.findings)
    .filter(({ level }) => level === 'unknown' || level === 'warning')
    .slice(0, MOST_WITNESSES);
}
