import { isFlapping } from '../../../engine/incident/incident.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import type { Block } from '../../../engine/remedy.ts';

/** What a mail says, before it is text or HTML. Its strings are plain text, and may quote strangers. */
export interface EmailContent {
  readonly title: string;
  readonly tone: 'critical' | 'warning' | 'good' | 'neutral';
  readonly lead: string;
  readonly sections: readonly Section[];
  readonly facts: readonly Fact[];
}

export interface Section {
  readonly title: string;
  /** `steps` are numbered. */
  readonly kind: 'text' | 'steps' | 'list';
  readonly lines: readonly string[];
  /** Of each step, the blocks of commands that stand below it. */
  readonly blocks?: readonly (readonly Block[])[];
}

export type Fact = readonly [name: string, value: string];

/** Without those that have nothing to say. */
export function spoken(sections: readonly Section[]): readonly Section[] {
  return sections.filter(({ lines }) => lines.length > 0);
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
  const count = times === 0 ? 'came back' : `came back ${String(times)} ${times === 1 ? 'time' : 'times'} lately`;
  const value = flaps ? `${count}: it comes and goes, and stays open until it has been quiet for longer` : count;
  return [['Flapping', value]];
}
