import { headline } from '../checks/headline.ts';
import { spanText } from '../core/duration.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { zonedText } from '../core/zoned-text.ts';
import type { Cause } from '../engine/cause.ts';
import { type IncidentState, isOpenFault } from '../engine/incident/incident.ts';
import type { IncidentStep } from '../engine/incident/machine-input.ts';
import { type IncidentPolicy, isGap } from '../engine/incident/policy.ts';
import type { NoteNotification } from '../engine/incident/notification.ts';

/** One that dies again and again is told once in so long. */
const AGAIN_AFTER: Millis = 3_600_000;

export interface Restart {
  readonly now: EpochMs;
  /** The last round that the history has; null: none. */
  readonly lastRound: EpochMs | null;
  readonly timezone: string;
}

/**
 * The state as a process takes it up, and what it tells at once: where the last one did not end as it was asked to.
 * @param isQuiet nobody is to be told now
 */
export function takenUp(
  saved: IncidentState,
  { isQuiet, ...restart }: Restart & { readonly isQuiet: boolean },
  policy: IncidentPolicy,
): IncidentStep {
  const note = isQuiet ? null : restartNote(saved, restart);
  const state = { ...afterGap(saved, restart, policy), runningSince: restart.now };
  return note === null
    ? { state, effects: [] }
    : { state: { ...state, restartToldAt: restart.now }, effects: [{ kind: 'notify', notification: note }] };
}

/**
 * After a long time without rounds it is unknown what of it lasts, and no two rounds around that time confirm each
 * other.
 */
function afterGap(state: IncidentState, { now, lastRound }: Restart, policy: IncidentPolicy): IncidentState {
  const isLong = ({ precondition }: Cause, since: EpochMs): boolean =>
    isGap(policy, precondition, now - (lastRound ?? since));
  return {
    ...state,
    candidates: state.candidates.filter(({ cause, looks, since }) => !isLong(cause, looks.at(-1) ?? since)),
    incidents: state.incidents.map((incident) =>
      incident.status === 'open' && isLong(incident.cause, incident.lastSeen)
        ? { ...incident, presence: 'unverified' }
        : incident,
    ),
  };
}

/**
 * What is told when the last process did not end as it was asked to: since when nothing was looked at, and what was
 * open then. Null when it did, or when the same was told lately.
 */
function restartNote(state: IncidentState, { now, lastRound, timezone }: Restart): NoteNotification | null {
  const { runningSince, restartToldAt, origin, incidents } = state;
  if (runningSince === null) return null;
  if (restartToldAt !== null && Math.abs(now - restartToldAt) < AGAIN_AFTER) return null;
  // A clock that was set back makes no span negative.
  const from = Math.min(Math.max(lastRound ?? runningSince, runningSince), now);
  const [since, until] = [zonedText(from, timezone), zonedText(now, timezone)];
  const open = incidents.filter(isOpenFault).map(({ cause }) => `${cause.severity}: ${headline(cause)} (${cause.id})`);
  return {
    kind: 'note',
    // The same end is told under the same id.
    id: `restart-${String(runningSince)}-${origin}`,
    at: now,
    event: 'restart',
    short: `nothing seen for ${spanText(now - from)}`,
    tone: 'warning',
    action: `See in the log of ftm-watch, before ${until}, why it ended.`,
    summary:
      'ftm-watch ended without being asked to: a crash, a kill or a loss of power. It looked at nothing from ' +
      `${since} to ${until}. Faults that came and went in that time were not seen, and log lines sent in it are lost.`,
    sections: open.length === 0 ? [] : [{ title: 'Open when it ended, and judged again now', lines: open }],
  };
}
