import type { EpochMs } from '../core/clock.ts';
import type { IncidentState } from '../engine/incident/incident.ts';
import type { IncidentStep } from '../engine/incident/machine-input.ts';
import type { Crontab } from '../text/crontab.ts';
import type { SummaryFacts } from './summary-facts.ts';
import { summaryNote } from './summary-note.ts';

export interface SummaryTools {
  readonly now: EpochMs;
  readonly timezone: string;
  readonly summaryFacts: (from: EpochMs, until: EpochMs) => SummaryFacts;
}

/** The state after the summary that is due now, and that summary; null: nothing is due. */
export function dueSummary(
  state: IncidentState,
  summary: Crontab,
  { now, timezone, summaryFacts }: SummaryTools,
): IncidentStep | null {
  const from = state.summarizedUntil;
  const summarized = { ...state, summarizedUntil: now };
  // The first one has no beginning yet, and after a clock was set back the last one lies in the future.
  if (from === null || from > now) return { state: summarized, effects: [] };
  if (from >= (summary.last(now) ?? 0)) return null;
  const notification = summaryNote(state, summaryFacts(from, now), { from, until: now, timezone });
  return { state: summarized, effects: [{ kind: 'notify', notification }] };
}
