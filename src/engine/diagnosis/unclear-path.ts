import type { Finding } from '../finding.ts';
import type { CauseWords } from '../words/cause-words.ts';
import { nameList } from '../../core/name-list.ts';
import type { JudgedState, JudgedStates } from './states.ts';

/**
 * The stages of this machine's path that are not proven clean, for a cause that is told otherwise then.
 * Empty where every stage is ok, and for any other cause.
 */
export function unclearStages({ unclearPath }: CauseWords, states: JudgedStates): readonly JudgedState[] {
  if (unclearPath === undefined) return [];
  return [...states.values()].filter(
    ({ check, state }) => check.onPath === true && state !== 'ok' && state !== 'not-configured',
  );
}

/** `Genuine TLS is unknown, Reachability has a warning`. */
export function unclearText(stages: readonly JudgedState[]): string {
  return nameList(
    stages.map(({ check: { title }, state }) =>
      state === 'warning'
        ? `${title} has a warning`
        : `${title} ${state === 'blocked' ? 'was skipped' : `is ${state}`}`,
    ),
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
