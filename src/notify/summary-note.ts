import { headline } from '../checks/headline.ts';
import { compareSeverity } from '../core/severity.ts';
import type { EpochMs } from '../core/clock.ts';
import { dayText } from '../core/instant-text.ts';
import { zonedText } from '../core/zoned-text.ts';
import { type Incident, type IncidentState, isOpenFault, type Silence } from '../engine/incident/incident.ts';
import type { NoteNotification, NoteSection } from '../engine/incident/notification.ts';
import { occurrenceText } from './message/occurrence-text.ts';
import type { SummaryFacts } from './summary-facts.ts';

export interface SummarySpan {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly timezone: string;
}

/** Nobody reads more of them in a message. */
const MAX_LISTED = 30;

/** How the time between was. */
export function summaryNote(state: IncidentState, facts: SummaryFacts, span: SummarySpan): NoteNotification {
  const { from, until, timezone } = span;
  const open = state.incidents
    .filter(isOpenFault)
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity));
  const over = facts.ended.filter(({ cause, mergedInto }) => cause.severity !== 'info' && mergedInto === null);
  const count = open.length + over.length;
  const share = facts.availability === null ? 'nothing known' : `${percent(facts.availability)} ready`;
  return {
    kind: 'note',
    id: `summary-${String(until)}-${state.origin}`,
    at: until,
    event: 'summary',
    short: `${share}, ${String(count)} ${count === 1 ? 'incident' : 'incidents'}`,
    tone: open.length === 0 ? 'good' : open.some(({ cause }) => cause.severity === 'critical') ? 'critical' : 'warning',
    action: actionOf(open, facts),
    summary:
      `From ${zonedText(from, timezone)} to ${zonedText(until, timezone)} ` +
      (facts.availability === null
        ? 'nothing was watched.'
        : `activation could work in ${percent(facts.availability)} of the time that was watched.`),
    sections: [
      { title: 'Still open', lines: open.map((one) => `${lineOf(one)}, since ${zonedText(one.since, timezone)}`) },
      {
        title: 'Over',
        lines: over.map((one) => `${lineOf(one)}, ${occurrenceText(one, timezone)}`),
      },
      {
        title: 'Tokens left',
        lines: facts.tokensLeft.map(({ appliance, count: tokens }) => `${appliance}: ${String(tokens)}`),
      },
      { title: 'Ends soon', lines: facts.ends.map(({ what, at }) => `${what}: ${dayText(at)}`) },
      {
        title: 'Silences that are still on',
        lines: state.silences.filter((one) => one.until > until).map((one) => silenceLine(one, timezone)),
      },
    ].flatMap(listed),
  };
}

function actionOf([gravest, ...others]: readonly Incident[], { ends: [soonest] }: SummaryFacts): string {
  if (gravest !== undefined) {
    const more = others.length === 0 ? '' : `, and ${String(others.length)} more`;
    return `Still open: ${headline(gravest.cause)}${more}.`;
  }
  return soonest === undefined ? 'There is nothing to do.' : `Renew in time: ${soonest.what}.`;
}

/** 100 % is said of what never failed alone. */
function percent(share: number): string {
  return `${String(Math.floor(share * 1_000) / 10)} %`;
}

function lineOf({ cause }: Incident): string {
  return `${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject})`;
}

function silenceLine({ cause, subject, until, by, comment }: Silence, timezone: string): string {
  const what = [cause ?? 'every cause', ...(subject === null ? [] : [subject])].join(', ');
  return `${what}, until ${zonedText(until, timezone)}, by ${by}${comment === '' ? '' : `: ${comment}`}`;
}

function listed({ title, lines }: NoteSection): readonly NoteSection[] {
  if (lines.length === 0) return [];
  const more = lines.length - MAX_LISTED;
  return [{ title, lines: more > 0 ? [...lines.slice(0, MAX_LISTED), `and ${String(more)} more`] : lines }];
}
