import { utcText } from '../../../core/instant-text.ts';
import type { FormerCause, Incident } from '../../../engine/incident/incident.ts';
import type { IncidentNotification, OpenCause } from '../../../engine/incident/notification.ts';
import { headline } from '../../../checks/headline.ts';
import { commonFacts, flapFacts, spoken } from './email-content-parts.ts';
import type { EmailContent } from './email-content-parts.ts';
import { spanText } from '../../message/span-text.ts';
import { toldCause } from '../../message/told-cause.ts';

/** Nobody reads more of them in a mail. */
const MAX_OPEN = 20;

/**
 * The end of an incident: what it was and when, and what is still open. Only where nothing is, there is nothing to do.
 */
export function allClear({ incident, at, stillOpen }: IncidentNotification, site: string): EmailContent {
  const { cause, since, lastSeen, closedAt } = incident;
  const rest = stillOpen.length === 0 ? 'There is nothing to do.' : 'Something else is still open: see below.';
  return {
    title: `Resolved: ${headline(toldCause(incident))}`,
    tone: stillOpen.some(({ severity }) => severity === 'critical')
      ? 'critical'
      : stillOpen.length > 0
        ? 'warning'
        : 'good',
    lead: `This is over. It lasted ${spanText(lastSeen - since)}. ${rest}`,
    sections: spoken([
      { title: 'Still open', kind: 'list', lines: openLines(stillOpen) },
      { title: 'What it was', kind: 'text', lines: [cause.summary] },
      { title: 'How it was understood', kind: 'list', lines: storyLines(incident) },
    ]),
    facts: [
      ...commonFacts(incident, site),
      ['From', utcText(since)],
      ['Last seen', utcText(lastSeen)],
      ['Over since', utcText(closedAt ?? at)],
      ...flapFacts(incident),
    ],
  };
}

/** The faults that are open beside those of a notification, as lines of a list. */
export function openLines(causes: readonly OpenCause[]): readonly string[] {
  const lines = causes
    .slice(0, MAX_OPEN)
    .map(
      (cause) => `${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject}), since ${utcText(cause.since)}`,
    );
  return causes.length > MAX_OPEN ? [...lines, `and ${String(causes.length - MAX_OPEN)} more`] : lines;
}

/** Each cause that it had, with its times; nothing where there was but one. */
function storyLines({ formerCauses, cause, causeSince, lastSeen }: Incident): readonly string[] {
  if (formerCauses.length === 0) return [];
  const { id, subject, severity } = cause;
  return [...formerCauses, { id, subject, severity, since: causeSince, until: lastSeen }].map(spanLine);
}

function spanLine({
  id,
  subject,
  severity,
  since,
  until,
}: Pick<FormerCause, 'id' | 'subject' | 'severity' | 'since' | 'until'>): string {
  return `${id} (${severity}, ${subject}), from ${utcText(since)} to ${utcText(until)}`;
}
