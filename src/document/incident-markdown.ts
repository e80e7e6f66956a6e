import type { EpochMs } from '../core/clock.ts';
import type { Zone } from '../core/time-text.ts';
import { headOf } from '../engine/model.ts';
import { type Section, sectionOf } from './document.ts';
import {
  faultSection,
  impactSection,
  incidentFacts,
  type IncidentPast,
  incidentStory,
  incidentTitle,
  type TimelineEvent,
} from './incident-story.ts';
import { inertLine, markdownFile, type MarkdownPlace, sectionBlocks } from './markdown.ts';
import { incidentLinks } from './notification.ts';

interface Reader {
  readonly site: string;
  readonly zone: Zone;
  /** If null, the file contains no links. */
  readonly publicUrl: string | null;
  readonly now: EpochMs;
}

/**
 * An incident as a Markdown file, for example as the start of a post-mortem.
 * @param notifications about this incident
 */
export function incidentMarkdown(
  past: IncidentPast,
  notifications: readonly TimelineEvent[],
  { site, zone, publicUrl, now }: Reader,
): string {
  const { incident } = past;
  const { cause } = incident;
  const isOver = incident.status === 'closed';
  const times = (at: EpochMs): string => zone.text(at);
  const { page, runbook } = incidentLinks(incident, { publicUrl, runbookUrl: null });
  const sections: readonly Section[] = [
    ...sectionOf('Incident', {
      kind: 'facts',
      lines: [
        ...incidentFacts(incident, site, now, times),
        ...(page === null ? [] : [['Page', [{ url: page }]] as const]),
        ...(runbook === null ? [] : [['Runbook', [{ url: runbook }]] as const]),
      ],
    }),
    ...faultSection(cause, isOver),
    ...impactSection(cause, isOver),
    ...incidentStory(past, notifications, times),
  ];
  return markdownFile([`# ${inertLine(incidentTitle(incident))}`, ...sectionBlocks(sections, NOWHERE)]);
}

/** Relative links are disabled, because the file can be saved anywhere. */
const NOWHERE: MarkdownPlace = {
  runbook: (path) => path,
  document: (path) => path,
  blockHead: headOf,
  isUntrusted: true,
};
