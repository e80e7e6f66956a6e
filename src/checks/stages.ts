import type { OutsideKind } from '../core/outside.ts';
import { type Finding, isFault } from '../engine/model.ts';
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

/**
 * Returns the measurements from other networks that could settle what is suspected of the licence server.
 */
export function outsideWishes({ observations, targets: [own] }: RoundFacts): readonly OutsideKind[] {
  if (isInvalid(observations)) return [];
  const found = foundAt(own);
  const isFaulty = (stage: keyof typeof found): boolean => found[stage]?.some(isFault) === true;
  const isDoubted = own.tls.endpoints.some(({ judgement }) => judgement.findings.some(isSuspectedFault));
  return [
    ...(isFaulty('name-resolution') ? (['addresses'] as const) : []),
    ...(isFaulty('reachability') ? (['reach'] as const) : []),
    ...(isDoubted ? (['certificate'] as const) : []),
  ];
}

function isSuspectedFault(finding: Finding): boolean {
  return isFault(finding) && finding.confidence === 'suspected';
}

/** Returns whether a firewall policy could have caused a fault of the licence server. */
export function asksForPolicy({ observations, targets: [own] }: RoundFacts): boolean {
  return (
    !isInvalid(observations) && Object.values(foundAt(own)).some((findings) => findings?.some(mayBePolicy) === true)
  );
}
