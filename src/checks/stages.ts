import type { Finding } from '../engine/model.ts';
import { isInvalid } from '../core/round.ts';
import type { RoundFacts, TargetFacts } from './check.ts';
import { mayBePolicy } from './firewall-policy/judge.ts';
import { judgeAnswers } from './license-server/judge.ts';
import { judgeNames } from './name-resolution/judge.ts';
import { judgePort } from './reachability/judge.ts';
import { judgeCertificates } from './tls-genuine/judge.ts';

/** Returns what each stage of the connections to a target shows, by check. Null if there was nothing to evaluate. */
export function foundAt(target: TargetFacts): Readonly<Record<string, readonly Finding[] | null>> {
  return {
    'name-resolution': judgeNames(target),
    reachability: judgePort(target),
    'tls-genuine': judgeCertificates(target),
    'license-server': judgeAnswers(target),
  };
}

/** Returns whether a firewall policy could have caused a fault of the licence server. */
export function asksForPolicy({ observations, targets: [own] }: RoundFacts): boolean {
  return (
    !isInvalid(observations) && Object.values(foundAt(own)).some((findings) => findings?.some(mayBePolicy) === true)
  );
}
