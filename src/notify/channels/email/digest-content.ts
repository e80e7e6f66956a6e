import { zonedText } from '../../../core/zoned-text.ts';
import type { DigestItem, DigestNotification } from '../../../engine/incident/notification.ts';
import { headline } from '../../../checks/headline.ts';
import { incidentLinks } from '../../message/links.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { occurrenceText } from '../../message/occurrence-text.ts';
import type { NotificationText } from '../../message/notification-text.ts';
import { openLines } from './all-clear.ts';
import { type EmailContent, type LinkedLine, linksOf, spoken } from './email-content-parts.ts';

export function digest(
  { items, omitted, stillOpen, at }: DigestNotification,
  { summary }: Pick<NotificationText, 'summary'>,
  context: MessageContext,
): Pick<EmailContent, 'sections' | 'facts'> {
  const open = items.filter(({ incident }) => incident.status === 'open');
  const over = items.filter(({ incident }) => incident.status === 'closed');
  const lineOf = (item: DigestItem): LinkedLine => digestLine(item, context);
  return {
    sections: spoken([
      { title: 'What this is', kind: 'text', lines: [summary] },
      { title: 'Open', kind: 'linked', lines: open.map(lineOf) },
      { title: 'Over', kind: 'linked', lines: over.map(lineOf) },
      { title: 'Also open', kind: 'list', lines: openLines(stillOpen, context) },
      { title: 'Not listed', kind: 'text', lines: omitted === 0 ? [] : [`${String(omitted)} more incidents`] },
    ]),
    facts: [
      ['Site', context.site],
      ['As of', zonedText(at, context.timezone)],
    ],
  };
}

function digestLine({ event, incident }: DigestItem, context: MessageContext): LinkedLine {
  const { cause, causeSince, status } = incident;
  const { timezone } = context;
  const times = status === 'open' ? `since ${zonedText(causeSince, timezone)}` : occurrenceText(incident, timezone);
  const again = event === 'reminder' ? 'still ' : '';
  const what = `${headline(cause)} (${cause.id}, ${cause.subject})`;
  return {
    text: `${again}${cause.severity}: ${what}, ${times}`,
    links: linksOf(incidentLinks(incident, context), 'Incident'),
  };
}
