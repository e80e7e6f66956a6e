import type { Finding } from '../../src/engine/model.ts';
import { faultsOfClaims } from '../support/checks/plain-claim.ts';
import { textOfStep } from '../support/checks/text-of-step.ts';
import { namesOf } from '../support/checks/told-of.ts';

/** Returns the ids of a finding and its texts. A claim that no one understands by itself is marked `WRONG`. */
export function findingText(finding: Finding): string {
  const { level, suggests, rule, kind, confidence, claim, expected, actual, advice } = finding;
  const ids = [level, rule, suggests, kind, confidence].filter((id) => typeof id === 'string').join(' ');
  const faults = faultsOfClaims([finding]).map((fault) => `  WRONG ${fault}`);
  return [
    `- ${ids}`,
    `  ${claim}`,
    ...namesOf(finding),
    `  expected: ${expected}`,
    ...(actual === undefined ? [] : [`  actual: ${actual}`]),
    ...(advice === undefined ? [] : [`  advice: ${[advice.summary, ...advice.remedy.map(textOfStep)].join('\n    ')}`]),
    ...faults,
  ].join('\n');
}
