import { zonedText } from '../../../core/zoned-text.ts';
import type { FormerCause, Incident } from '../../../engine/incident/incident.ts';
import { lastedText } from '../../../engine/incident/lasted.ts';
import type { IncidentNotification, OpenCause } from '../../../engine/incident/notification.ts';
import { headline } from '../../../checks/headline.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { NotificationText } from '../../message/notification-text.ts';
import { commonFacts, flapFacts, spoken } from './email-content-parts.ts';
import type { EmailContent } from './email-content-parts.ts';

/** Nobody reads more of them in a mail. */
const MAX_OPEN = 20;

/** The end of an incident: what it was and when, and what is still open. */
export function allClear(
  { incident, at, stillOpen }: IncidentNotification,
  { summary }: Pick<NotificationText, 'summary'>,
  context: MessageContext,
): Pick<EmailContent, 'sections' | 'facts'> {
  const { since, lastSeen, closedAt, clear } = incident;
  return {
    sections: spoken([
      { title: 'Still open', kind: 'list', lines: openLines(stillOpen, context) },
      { title: 'What it was', kind: 'text', lines: [summary] },
      { title: 'How it was understood', kind: 'list', lines: storyLines(incident, context) },
    ]),
    facts: [
      ...commonFacts(incident, context.site),
      ['From', zonedText(since, context.timezone)],
      ['Last seen', zonedText(lastSeen, context.timezone)],
      ['Over since', zonedText(clear.after ?? closedAt ?? at, context.timezone)],
      ['Lasted', lastedText(incident)],
      ...flapFacts(incident),
    ],
  };
}

/** The faults that are open beside those of a notification, as lines of a list. */
export function openLines(causes: readonly OpenCause[], { timezone }: MessageContext): readonly string[] {
  const lines = causes.slice(0, MAX_OPEN).map((cause) => {
    const since = zonedText(cause.since, timezone);
    return `${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject}), since ${since}`;
  });
  return causes.length > MAX_OPEN ? [...lines, `and ${String(causes.length - MAX_OPEN)} more`] : lines;
}

/** Each cause that it had, with its times; nothing where there was but one. */
function storyLines(
  { formerCauses, cause, causeSince, lastSeen }: Incident,
  { timezone }: MessageContext,
): readonly string[] {
  if (formerCauses.length === 0) return [];
  const { id, subject, severity } = cause;
  const present = { id, subject, severity, since: causeSince, until: lastSeen };
  return [...formerCauses, present].map((one) => spanLine(one, timezone));
}

function spanLine(
  { id, subject, severity, since, until }: Omit<FormerCause, 'replacedAt' | 'published'>,
  timezone: string,
): string {
  const times = `from ${zonedText(since, timezone)} to ${zonedText(until, timezone)}`;
  return `${id} (${severity}, ${subject}), ${times}`;
}
