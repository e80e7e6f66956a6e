import type { Cause } from '../../engine/cause.ts';
import type { Incident } from '../../engine/incident/incident.ts';

/**
 * As what people know an incident that is over. A cause that took the place of the first while nothing was told
 * (maintenance, a silence) is no news in the end: it stands in the story.
 */
export function toldCause({
  cause,
  lastNotified,
}: Incident): Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
  if (
    lastNotified === null ||
    lastNotified.named.some((one) => one.cause === cause.id && one.subject === cause.subject)
  )
    return cause;
  return { id: lastNotified.cause, subject: lastNotified.subject, severity: lastNotified.severity, product: null };
}
