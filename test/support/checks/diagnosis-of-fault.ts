import { CHECKS, type FaultId } from '../../../src/checks/registry.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { CONTEXT, finding, judgedRound } from './judged-round.ts';

/** Returns the diagnosis of a round in which one fault was seen, with its texts. */
export function diagnosisOfFault(fault: FaultId): Diagnosis {
  const check = CHECKS.find(({ causes }) => Object.hasOwn(causes, fault));
  if (check === undefined) throw new Error(`No check has the cause ${fault}`);
  return diagnose(judgedRound([check.id, [finding(fault)]]), CONTEXT);
}
