import type { Cause } from '../../../engine/cause.ts';
import type { Incident } from '../../../engine/incident/incident.ts';

/**
 * As what people know an incident that is over. A cause that took the place of the first while nothing was told
 * (maintenance, a silence) is no news in the end: it stands in the story.
 */
export function toldCause({ cause, told }: Incident): Pick<Cause, 'id' | 'subject' | 'severity' | 'product'> {
  if (told === null || told.named.some((one) => one.cause === cause.id && one.subject === cause.subject)) return cause;
  return { id: told.cause, subject: told.subject, severity: told.severity, product: null };
}
