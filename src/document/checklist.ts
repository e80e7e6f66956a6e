import { checksOf, titleOf } from '../checks/registry.ts';
import { counted } from '../core/visible-text.ts';
import type { Diagnosis, Finding, PreconditionStatus } from '../engine/model.ts';
import { RANK } from './states.ts';

export interface ChecklistItem extends PreconditionStatus {
  readonly title: string;
  /** True if a cause has the same summary. */
  readonly isTold: boolean;
  /** What neither the summary nor a cause says. */
  readonly notes: readonly Finding[];
}

interface Checklist {
  readonly items: readonly ChecklistItem[];
  readonly gathered: readonly Gathered[];
}

/** Checks that need no attention. The title is such as `9 checks OK`. */
interface Gathered extends Pick<ChecklistItem, 'state' | 'title'> {
  readonly names: string;
  readonly items: readonly ChecklistItem[];
}

/** @param form `path` and `whole` have the order of the path. In `whole`, each check has a line. */
export function checklistOf({ preconditions, causes }: Diagnosis, form: 'path' | 'worst-first' | 'whole'): Checklist {
  const all = preconditions.map((status): ChecklistItem => {
    const isTold = causes.some(({ summary }) => summary === status.summary);
    const notes = status.findings.filter((finding) => isNote(finding, status));
    return { ...status, title: titleOf(status.id), isTold, notes };
  });
  const items = all.filter((item) => form === 'whole' || needsLine(item));
  const gathered = (['ok', 'not-configured'] as const).flatMap((state): readonly Gathered[] => {
    const these = all.filter((item) => item.state === state && !items.includes(item));
    const title = state === 'ok' ? `${counted(these.length, 'check')} OK` : 'Not configured';
    const names = these.map((item) => item.title).join(', ');
    return these.length === 0 ? [] : [{ state, title, names, items: these }];
  });
  const rank = ({ state }: ChecklistItem): number => (form === 'worst-first' ? RANK.indexOf(state) : 0);
  return { items: items.toSorted((a, b) => rank(a) - rank(b)), gathered };
}

/** The evidence for a cause is shown with that cause, even if it comes from a blocked precondition. */
function isNote({ level, suggests, claim }: Finding, { state, summary }: PreconditionStatus): boolean {
  const isUntold = level === 'note' || (suggests === null && state !== 'blocked');
  return isUntold && !summary.toLowerCase().includes(claim.toLowerCase());
}

/** What only the daemon can check is shown with the reason why it was not checked. */
function needsLine({ id, state, notes }: ChecklistItem): boolean {
  return state === 'ok' ? notes.length > 0 : state !== 'not-configured' || checksOf('log', 'agent').includes(id);
}
