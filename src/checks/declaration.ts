import type { Assessment } from '../engine/assessment.ts';
import type { Check } from '../engine/check.ts';
import type { Finding } from '../engine/finding.ts';
import type { LogFacts } from './log-facts.ts';
import type { Place } from './place.ts';
import type { RoundFacts } from './round-facts.ts';
import type { StepId } from './step.ts';
import type { TargetFacts } from './target-facts.ts';
import type { UnitFacts } from './unit-facts.ts';
import type { SlowSourceId, SlowFactsBySource } from '../sources/registry.ts';

/** All that a check says of itself: the one export of its `check.ts`. */
export type Declaration<Id extends string = string, C extends string = string> = Check<Id, C> & {
  readonly place: Place;
  /** The step of an activation that it watches. */
  readonly step: StepId;
  /** The steps that its causes break, where it is another one. */
  readonly causeSteps?: Readonly<Partial<Record<C, StepId>>>;
  /** What was learned beside the round changes what the round found out. */
  readonly withUnits?: (own: Assessment, picture: SlowFactsBySource) => Assessment;
  readonly withLog?: (own: Assessment, facts: Extract<LogFacts, { readonly kind: 'heard' }>) => Assessment;
} & Judge;

export type Judge = TargetJudge | RoundJudge | UnitsJudge | LogJudge;

/** It is repeated for each target: the licence server first, which decides whether anything was judged. */
export interface TargetJudge {
  readonly from: 'target';
  /** Null: there was nothing to judge. */
  readonly judge: (facts: TargetFacts) => readonly Finding[] | null;
  /** What holds of the licence server when there is no finding. */
  readonly summary: (licenseServer: TargetFacts) => string;
}

export interface RoundJudge {
  readonly from: 'round';
  readonly judge: (facts: RoundFacts) => Judgement;
}

/** What is asked on slower schedules of its own. */
export interface UnitsJudge {
  readonly from: 'units';
  /** Which of them it judges: news of these are news of its precondition. */
  readonly sources: readonly SlowSourceId[];
  readonly judge: (facts: UnitFacts) => Judgement;
}

export interface LogJudge {
  readonly from: 'log';
  readonly judge: (facts: LogFacts) => Judgement;
}

/** An assessment by the check that it belongs to. */
export type Judgement = Omit<Assessment, 'id'>;
