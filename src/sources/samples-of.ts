import { probeSamples, type ProbeSample } from '../core/round.ts';
import { sourcesThatRun, type RoundFactsBySource } from './registry.ts';
import type { RoundSource } from './source.ts';

const ROUND: readonly Pick<RoundSource<string, never, unknown>, 'id' | 'runsIn'>[] = sourcesThatRun('round');

/** What metrics and history count of a round. */
export function samplesOf(round: RoundFactsBySource): readonly ProbeSample[] {
  const facts: Readonly<Record<string, unknown>> = { ...round };
  return probeSamples(ROUND.map((source) => source.runsIn(facts[source.id])));
}
