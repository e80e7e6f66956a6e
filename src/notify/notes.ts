import type { EpochMs, Millis } from '../core/clock.ts';
import {
  type Incident,
  type IncidentState,
  isOpenFault,
  type IncidentPolicy,
  isPlanned,
  isUnverified,
  type NoteNotification,
  type Silence,
} from '../engine/incident/incident.ts';
import { resume, type Resumption } from '../engine/incident/resume.ts';
import type { IncidentStep } from '../engine/incident/round-view.ts';
import { headline } from '../checks/headline.ts';
import { spanText, zonedText, dayText } from '../core/time-text.ts';
import { type Availability, availabilityShare } from '../engine/availability.ts';
import type { Crontab } from '../text/crontab.ts';
import { compareSeverity } from '../core/severity.ts';
import { firstLines } from '../document/document.ts';
import { occurrenceText } from '../document/notification.ts';

const AGAIN_AFTER: Millis = 3_600_000;

interface Restart extends Resumption {
  readonly timezone: string;
}

/**
 * Returns the initial state of a new process, with a note if the previous process ended unexpectedly.
 * @param isQuiet true if no notifications may be sent at the moment
 */
export function resumedState(
  saved: IncidentState,
  { isQuiet, ...restart }: Restart & { readonly isQuiet: boolean },
  policy: IncidentPolicy,
): IncidentStep {
  const resumed = resume(saved, restart, policy);
  const state = { ...resumed.state, runningSince: restart.now };
  const note = isQuiet ? null : restartNote({ ...saved, incidents: state.incidents }, restart);
  return note === null
    ? { state, effects: resumed.effects }
    : {
        state: { ...state, restartToldAt: restart.now },
        effects: [...resumed.effects, { kind: 'notify', notification: note }],
      };
}

/** Returns null if the process ended normally or if a restart was reported recently. */
function restartNote(state: IncidentState, { now, lastRound, timezone }: Restart): NoteNotification | null {
  const { runningSince, restartToldAt, origin, incidents } = state;
  if (runningSince === null) return null;
  if (restartToldAt !== null && Math.abs(now - restartToldAt) < AGAIN_AFTER) return null;
  // If the clock was ahead when the process started, `runningSince` is later than `now`.
  const from = runningSince > now ? lastRound : Math.max(lastRound ?? runningSince, runningSince);
  const until = zonedText(now, timezone);
  const gap = from === null ? `until ${until}` : `from ${zonedText(from, timezone)} to ${until}`;
  const open = incidents.filter(isOpenFault).map(({ cause }) => `${cause.severity}: ${headline(cause)} (${cause.id})`);
  return {
    kind: 'note',
    // If the note is created again, it gets the same ID.
    id: `restart-${String(runningSince)}-${origin}`,
    at: now,
    event: 'restart',
    short: `no checks for ${from === null ? 'an unknown time' : spanText(now - from)}`,
    tone: 'warning',
    action: `To find out why ftm-watch stopped, read its log from before ${until}.`,
    summary:
      'ftm-watch stopped unexpectedly, for example because of a crash or a power failure. No checks were run ' +
      `${gap}. Faults that began and ended during that time were not detected, and log lines sent during that time ` +
      'are lost.',
    sections:
      open.length === 0
        ? []
        : [{ title: 'Open when ftm-watch stopped (these faults are being checked again)', lines: open }],
  };
}

/** Returns null if no summary is due. */
export function dueSummary(
  state: IncidentState,
  summary: Crontab,
  { now, timezone }: Pick<Restart, 'now' | 'timezone'>,
  summaryFacts: (from: EpochMs, until: EpochMs) => SummaryFacts,
): IncidentStep | null {
  const from = state.summarizedUntil;
  const summarized = { ...state, summarizedUntil: now };
  // Before the first summary, the start of the period is unknown. If the clock was set back, the last summary may have
  // a time in the future.
  if (from === null || from > now) return { state: summarized, effects: [] };
  if (from >= (summary.last(now) ?? 0)) return null;
  const notification = summaryNote(state, summaryFacts(from, now), { from, until: now, timezone });
  return { state: summarized, effects: [{ kind: 'notify', notification }] };
}

const MAX_LISTED = 30;

function summaryNote(
  state: IncidentState,
  facts: SummaryFacts,
  { from, until, timezone }: { readonly from: EpochMs; readonly until: EpochMs; readonly timezone: string },
): NoteNotification {
  const open = state.incidents
    .filter(isOpenFault)
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity));
  const over = facts.ended.filter(({ cause }) => cause.severity !== 'info');
  const count = open.length + over.length;
  const lasting = state.silences.filter((one) => one.until > until);
  const share = availabilityShare(facts.availability);
  return {
    kind: 'note',
    id: `summary-${String(until)}-${state.origin}`,
    at: until,
    event: 'summary',
    short: `${share === null ? 'no data' : `${percent(share)} ready`}, ${String(count)} ${count === 1 ? 'incident' : 'incidents'}`,
    tone: open.length === 0 ? 'good' : open.some(({ cause }) => cause.severity === 'critical') ? 'critical' : 'warning',
    action: actionOf(open, facts),
    summary:
      `From ${zonedText(from, timezone)} to ${zonedText(until, timezone)}, ` +
      (share === null
        ? 'it is unknown whether activation was possible.'
        : `activation was possible for ${percent(share)} of the known time ${knownText(facts.availability)}.`),
    sections: [
      { title: 'Still open', lines: open.map((one) => openLine(one, timezone)) },
      {
        title: 'Resolved',
        lines: over.map((one) => `${lineOf(one)}, ${occurrenceText(one, timezone)}`),
      },
      {
        title: 'Tokens left',
        lines: facts.tokensLeft.map(({ appliance, count: tokens }) => `${appliance}: ${String(tokens)}`),
      },
      { title: 'Expires soon', lines: facts.ends.map(({ what, at }) => `${what}: ${dayText(at)}`) },
      {
        title: 'Active silences',
        lines: lasting.filter((one) => !isPlanned(one, until)).map((one) => silenceLine(one, until, timezone)),
      },
      {
        title: 'Planned silences',
        lines: lasting.filter((one) => isPlanned(one, until)).map((one) => silenceLine(one, until, timezone)),
      },
    ].flatMap(({ title, lines }) => (lines.length === 0 ? [] : [{ title, lines: firstLines(lines, MAX_LISTED) }])),
  };
}

function actionOf([mostSevere, ...others]: readonly Incident[], { ends: [soonest] }: SummaryFacts): string {
  if (mostSevere !== undefined) {
    const more = others.length === 0 ? '' : `, and ${String(others.length)} more`;
    return `Still open: ${headline(mostSevere.cause)}${more}.`;
  }
  return soonest === undefined ? 'No action is required.' : `Renew soon: ${soonest.what}.`;
}

/** Rounds down, so that 100 % is shown only if there was no failure at all. */
function percent(share: number): string {
  return `${String(Math.floor(share * 1_000) / 10)} %`;
}

function knownText({ ready, notReady, unknown }: Availability): string {
  const known = ready + notReady;
  return `(${spanText(known)} of ${spanText(known + unknown)})`;
}

function lineOf({ cause }: Incident): string {
  return `${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject})`;
}

function openLine(incident: Incident, timezone: string): string {
  const doubt = isUnverified(incident) ? ', not checked again since ftm-watch started' : '';
  return `${lineOf(incident)}, since ${zonedText(incident.since, timezone)}${doubt}`;
}

function silenceLine(silence: Silence, now: EpochMs, timezone: string): string {
  const { cause, subject, from, until, by, comment } = silence;
  const what = [cause ?? 'all causes', ...(subject === null ? [] : [subject])].join(', ');
  const begin = isPlanned(silence, now) ? `from ${zonedText(from, timezone)} ` : '';
  return `${what}, ${begin}until ${zonedText(until, timezone)}, by ${by}${comment === '' ? '' : `: ${comment}`}`;
}

export interface SummaryFacts {
  readonly availability: Availability;
  readonly ended: readonly Incident[];
  readonly tokensLeft: readonly { readonly appliance: string; readonly count: number }[];
  /** Expiry dates of certificates and licences, earliest first. */
  readonly ends: readonly { readonly what: string; readonly at: EpochMs }[];
}
