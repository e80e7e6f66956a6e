import type { Block, RemedyStep } from '../../../engine/remedy.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import { INCIDENT_DEFAULTS } from '../../../engine/incident/policy.ts';
import { spanText } from '../../../core/duration.ts';
import { counted } from '../../../core/counted.ts';
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

export function flapFacts({ returns, flapping, status, cause }: Incident): readonly Fact[] {
  const within = `within ${spanText(INCIDENT_DEFAULTS.flapping.within)}`;
  const count = returns.length === 0 ? [] : [`came back ${counted(returns.length, 'time')} ${within}`];
  const rule =
    flapping && status === 'open'
      ? [
          `${cause.subject} had more than ${String(INCIDENT_DEFAULTS.flapping.outages)} outages ${within}: this incident ` +
            `stays open until the fault has been gone for ${spanText(INCIDENT_DEFAULTS.flapping.quiet)}`,
        ]
      : [];
  const facts = [...count, ...rule];
  return facts.length === 0 ? [] : [['Flapping', facts.join('; ')]];
}
