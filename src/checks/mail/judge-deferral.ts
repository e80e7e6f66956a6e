import type { MailCause } from './causes.ts';
import { spanText } from '../../core/duration.ts';
import type { MailObservation } from '../../core/observation.ts';
import type { Finding } from '../../engine/finding.ts';

/**
 * Greylisting is everyday life, unless a code is void when it arrives. What was measured is how long this machine
 * waited, which comes back more often than most.
 */
export function judgeDeferral({ server, security, deferral }: MailObservation): readonly Finding<MailCause>[] {
  if (deferral === undefined || deferral.codeLife === null || deferral.lasted < deferral.codeLife) return [];
  const [waited, life] = [spanText(deferral.lasted), spanText(deferral.codeLife)];
  return [
    {
      rule: 'mail-arrives-while-codes-live',
      subject: server,
      claim: `The mail server asked to come back later for ${waited}; an activation code lives ${life}.`,
      expected: `a message is taken within the ${life} that an activation code lives`,
      actual: `this machine was asked to come back later for ${waited}`,
      level: 'warning',
      suggests: 'mail-outlasts-code',
      confidence: 'suspected',
      facts: { security, waited, life },
    },
  ];
}
