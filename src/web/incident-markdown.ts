import { headline } from '../checks/headline.ts';
import type { Zone } from '../core/time-text.ts';
import { type LinkedLine, type Paragraph, type Section, sectionOf } from '../document/document.ts';
import { SEVERITY_WORDS } from '../document/html.ts';
import { inertLine, markdownFile, type MarkdownPlace, sectionBlocks } from '../document/markdown.ts';
import { incidentLinks } from '../document/notification.ts';
import { headOf } from '../engine/model.ts';
import { eventOf, type Incident, lastedText, type OutboxEntry } from '../engine/incident/incident.ts';
import { channelWords } from '../notify/channels/registry.ts';
import { changeWords, deliveryGroupsAbout, timelineOf } from './page/incidents-view.ts';
import { EVENT_WORDS, recipientsText, type Way } from './page/notifications-view.ts';
import type { IncidentRecord } from './sources.ts';

interface Reader {
  readonly site: string;
  readonly zone: Zone;
  /** If null, the file contains no links. */
  readonly publicUrl: string | null;
}

/** An incident as a Markdown file, for example as the start of a post-mortem. */
export function incidentMarkdown(record: IncidentRecord, reader: Reader): string {
  const { incident, outboxEntries } = record;
  const { cause, openingEvidence } = incident;
  const isSame = openingEvidence.join('\n') === cause.evidence.join('\n');
  const sections: readonly Section[] = [
    ...sectionOf('Summary', { kind: 'text', lines: [cause.summary] }),
    ...sectionOf('Impact', { kind: 'text', lines: [cause.impact] }),
    ...sectionOf('Root cause', { kind: 'text', lines: [causeWords(incident)] }),
    ...sectionOf(incident.status === 'open' ? 'Evidence now' : 'Evidence when it was last seen', {
      kind: 'list',
      lines: cause.evidence,
    }),
    ...sectionOf('Evidence when it was confirmed', { kind: 'list', lines: isSame ? [] : openingEvidence }),
    ...sectionOf('Timeline', { kind: 'list', lines: timelineLines(record, reader) }),
    ...sectionOf('Remedy', { kind: 'steps', lines: cause.remedySteps }),
    ...sectionOf('Notifications', { kind: 'list', lines: notificationLines(incident, outboxEntries, reader) }),
  ];
  return markdownFile([
    `# ${inertLine(headline(cause))}`,
    ...sectionBlocks([{ title: 'Incident', parts: [{ kind: 'list', lines: factLines(record, reader) }] }], NOWHERE),
    ...sectionBlocks(sections, NOWHERE),
  ]);
}

/** Relative links are disabled, because the file can be saved anywhere. */
const NOWHERE: MarkdownPlace = {
  runbook: (path) => path,
  document: (path) => path,
  blockHead: headOf,
  isUntrusted: true,
};

function factLines(
  { incident, complete }: IncidentRecord,
  { site, zone, publicUrl }: Reader,
): readonly (Paragraph | LinkedLine)[] {
  const { id, cause, since, closedAt, lastSeen, earlier } = incident;
  const { page, runbook } = incidentLinks(incident, { publicUrl, runbookUrl: null });
  const count = earlier.length;
  return [
    ['Id: ', { code: id }],
    `Site: ${site}`,
    `Severity: ${SEVERITY_WORDS[cause.severity]}`,
    `Started: ${zone.text(since)}`,
    closedAt === null ? `Still open, last seen: ${zone.text(lastSeen)}` : `Resolved: ${zone.text(closedAt)}`,
    ...(closedAt === null ? [] : [`Duration: ${lastedText(incident)}`]),
    ...(count === 0 ? [] : [`Earlier occurrences: ${String(count)} (see the timeline)`]),
    ...(page === null ? [] : [{ text: 'Page:', links: [['Incident', page]] } as const]),
    ...(runbook === null ? [] : [{ text: 'Runbook:', links: [['Runbook', runbook]] } as const]),
    ...(complete ? [] : ['The history was not available, so entries may be missing.']),
  ];
}

function causeWords({ cause: { id, subject, confidence } }: Incident): Paragraph {
  return [{ code: id }, ...(subject === '' ? [] : [' at ', { code: subject }]), ` (${confidence})`];
}

function timelineLines(record: IncidentRecord, { zone }: Reader): readonly Paragraph[] {
  const { incident, omittedChanges } = record;
  const steps = timelineOf(incident, record).map((step): string => {
    const at = zone.text(step.at);
    switch (step.kind) {
      case 'seen':
        return `${at}: First seen`;
      case 'opened':
        return `${at}: Confirmed`;
      case 'closed':
        return `${at}: Resolved after ${lastedText(step.occurrence)}`;
      case 'understood':
        return `${at}: Previous cause: ${step.former.id} at ${step.former.subject}`;
      case 'changed':
        return `${at}: ${changeWords(step.change)}${step.change.detail === '' ? '' : `: ${step.change.detail}`}`;
      case 'told':
        return `${at}: Notification (${EVENT_WORDS[eventOf(step.group.notification)]})`;
    }
  });
  return omittedChanges === 0 ? steps : [...steps, `${String(omittedChanges)} more changes are not shown.`];
}

function notificationLines(
  incident: Incident,
  outboxEntries: readonly OutboxEntry[],
  { zone }: Reader,
): readonly string[] {
  return deliveryGroupsAbout(incident, outboxEntries.toReversed()).flatMap(({ notification, ways }) =>
    ways.map((way) => `${zone.text(notification.at)}: ${EVENT_WORDS[eventOf(notification)]} ${wayText(way)}`),
  );
}

const STATUS_WORDS: Readonly<Record<Way['delivery']['status'], string>> = {
  sent: 'sent',
  pending: 'not delivered yet',
  rejected: 'rejected',
  expired: 'not delivered',
  withdrawn: 'withdrawn',
};

function wayText({ delivery, recipients }: Way): string {
  const to = recipientsText(delivery, recipients);
  return `by ${channelWords(delivery.channel).name} to ${to}: ${STATUS_WORDS[delivery.status]}`;
}
