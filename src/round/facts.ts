import type { RoundFacts } from '../checks/check.ts';
import { clockObservations, correctedNow } from '../checks/clock/judge.ts';
import { needsBurst } from '../checks/intermittent/sampling.ts';
import { answeringHosts } from '../checks/internet/judge.ts';
import { roundFactsOf } from '../checks/round-facts.ts';
import type { EpochMs } from '../core/clock.ts';
import type { RoundObservations } from '../core/round.ts';
import type { Instruments } from './instruments.ts';

/** Returns the facts of a round, and remembers for later rounds what it shows. */
export function factsOf({ config, knowledge, memory }: Instruments, round: RoundObservations): RoundFacts {
  memory.roundTrips.note(round);
  const earlier = {
    sampling: memory.sampling.current(),
    answers: memory.answers,
    answered: memory.answered,
    roundTrips: memory.roundTrips.known(),
  };
  const facts = roundFactsOf(config, round, earlier, (target) => knowledge.of(target));
  const [{ sampling, answers }] = facts.targets;
  for (const subject of answeringHosts(round)) memory.answered.add(subject);
  memory.sampling.note(sampling);
  memory.answers = answers;
  return facts;
}

/** Returns whether an immediate second round would provide more information about a failed connection. */
export function needsAnotherRound({ memory, clock }: Instruments): boolean {
  return needsBurst(memory.sampling.current(), clock.now());
}

export function trueTime({ knowledge }: Instruments, round: RoundObservations): EpochMs {
  return correctedNow(
    round.startedAt,
    clockObservations(round, (target) => knowledge.of(target)),
  );
}
