import type { Block, RemedyStep } from '../../../engine/remedy.ts';
import { isFlapping } from '../../../engine/incident/incident.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import type { Links } from '../../message/links.ts';
import type { Tone } from '../../message/notification-text.ts';

/** What a mail says, before it is text or HTML. Its strings are plain text, and may quote strangers. */
export interface EmailContent {
  /** As in the headers: it stands in no text that is shown. */
  readonly subject: string;
  readonly tone: Tone;
  /** What is wrong. */
  readonly lead: Part;
  readonly links: readonly Link[];
  readonly sections: readonly Section[];
  readonly facts: readonly Fact[];
  /** Commands, which may be longer than all the rest: they come last. */
  readonly commands: readonly Section[];
}

export type Part =
  | { readonly kind: 'text' | 'list'; readonly lines: readonly string[] }
  /** They are numbered. */
  | { readonly kind: 'steps'; readonly first: number; readonly lines: readonly RemedyStep[] }
  | { readonly kind: 'blocks'; readonly lines: readonly Block[] }
  /** A list whose lines have links of their own. */
  | { readonly kind: 'linked'; readonly lines: readonly LinkedLine[] };

export type Section = Part & { readonly title: string };

export interface LinkedLine {
  readonly text: string;
  readonly links: readonly Link[];
}

export type Link = readonly [title: string, url: string];

export type Fact = readonly [name: string, value: string];

/** Without those that have nothing to say. */
export function spoken(sections: readonly Section[]): readonly Section[] {
  return sections.filter(({ lines }) => lines.length > 0);
}

export function linksOf({ page, runbook }: Links, pageTitle: string): readonly Link[] {
  return [
    ...(page === null ? [] : [[pageTitle, page] as const]),
    ...(runbook === null ? [] : [['Runbook', runbook] as const]),
  ];
}

export function commonFacts({ id, cause }: Incident, site: string): readonly Fact[] {
  return [
    ['Site', site],
    ['Cause', `${cause.id} (${cause.severity}, ${cause.confidence})`],
    ['Subject', cause.subject],
    ['Incident', id],
  ];
}

export function flapFacts(incident: Incident): readonly Fact[] {
  const times = incident.returns.length;
  const flaps = isFlapping(incident);
  if (times === 0 && !flaps) return [];
  const count = times === 0 ? 'came back' : `came back ${String(times)} ${times === 1 ? 'time' : 'times'} recently`;
  const value = flaps ? `${count}: it comes and goes, and stays open until it has been quiet for longer` : count;
  return [['Flapping', value]];
}
