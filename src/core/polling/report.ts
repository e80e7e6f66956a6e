import { compareSeverity } from '../severity.ts';
import type { EpochMs, Millis } from '../clock.ts';
import {
  type Complaint,
  type ApplianceLog,
  type FirewallSighting,
  type PollingState,
  type SignatureLog,
  momentsOf,
  UNNAMED,
  errorsWithinHour,
} from './state.ts';
import type { Signature, SignatureSet } from './signature.ts';

export interface PollingReport {
  readonly window: Millis;
  readonly silentAfter: Millis;
  /** All configured appliances, followed by `unnamed` if any line could not be attributed. */
  readonly appliances: readonly AppliancePolling[];
  /** Within the window, reliable ones first, then most recent first. */
  readonly firewallEvidence: readonly FirewallAdmission[];
}

/** Unproven admissions share their moments. */
export interface FirewallAdmission extends FirewallSighting, Complaint {
  /** False if the traffic does not come from a unit, so that no number of lines proves anything about a unit. */
  readonly ofUnit: boolean;
}

export interface AppliancePolling {
  /** As configured, or `unnamed`. */
  readonly name: string;
  /** Within the window, sorted by severity and then by time, most recent first. */
  readonly errors: readonly PollingError[];
  /** Number of lines with errors, of any signature and sender. The start of the hour is rounded to a minute. */
  readonly errorsWithinHour: number;
  readonly lastLineAt: EpochMs | null;
  /**
   * Only lines of reliable senders show that the unit runs and logs no errors. If there were any lately, no other lines
   * end its silence.
   */
  readonly reliableLineAt: EpochMs | null;
  /** No line has been received for longer than `silentAfter`, although the log source was available. */
  readonly silent: boolean;
  readonly silentFor: Millis | null;
}

export interface PollingError
  extends Complaint,
    Pick<Signature, 'cause' | 'severity' | 'short' | 'summary' | 'remedy'>,
    Pick<SignatureLog, 'lastAt' | 'ahead'> {
  readonly signature: string;
  /** Number of lines within the window. The start of the window is rounded to a sixtieth of its length. */
  readonly count: number;
  /** The same lines, grouped by sixtieths of the window, oldest first. */
  readonly groups: readonly LineGroup[];
  readonly firstAt: EpochMs;
  /** Most recent line, sanitized and truncated. The text is untrusted. */
  readonly sample: string;
}

interface LineGroup {
  readonly firstAt: EpochMs;
  readonly count: number;
}

interface PollingReportOptions {
  readonly now: EpochMs;
  readonly window: Millis;
  readonly silentAfter: Millis;
  readonly appliances: readonly string[];
  readonly signatures: SignatureSet;
  /** A lack of lines before this time does not count as silence. Null if the log is not received. */
  readonly listeningSince: EpochMs | null;
}

/** Signatures that are no longer in the catalogue are omitted. */
export function pollingReport(state: PollingState, options: PollingReportOptions): PollingReport {
  const { window, silentAfter, appliances, now } = options;
  const hasUnnamed = Object.hasOwn(state.appliances, UNNAMED) && !appliances.includes(UNNAMED);
  return {
    window,
    silentAfter,
    appliances: [...appliances, ...(hasUnnamed ? [UNNAMED] : [])].map((name) => reportAppliance(name, state, options)),
    firewallEvidence: admissionsOf(state).filter(({ lastAt }) => lastAt >= now - window),
  };
}

function admissionsOf({ firewall, unprovenFirewall, otherTraffic }: PollingState): readonly FirewallAdmission[] {
  const ownMoments = ({ firstAt, lastAt }: FirewallSighting): readonly EpochMs[] => [firstAt, lastAt];
  const moments = unprovenFirewall.moments ?? [];
  return [
    ...firewall.map((sighting) => ({ ...sighting, moments: ownMoments(sighting), reliable: true, ofUnit: true })),
    ...unprovenFirewall.sightings.map((sighting) => ({ ...sighting, moments, reliable: false, ofUnit: true })),
    ...otherTraffic.map((sighting) => ({ ...sighting, moments: ownMoments(sighting), reliable: false, ofUnit: false })),
  ].toSorted(
    (a, b) => Number(b.reliable) - Number(a.reliable) || Number(b.ofUnit) - Number(a.ofUnit) || b.lastAt - a.lastAt,
  );
}

function reportAppliance(name: string, state: PollingState, options: PollingReportOptions): AppliancePolling {
  const log = Object.hasOwn(state.appliances, name) ? state.appliances[name] : undefined;
  const lastLineAt = log?.lastLineAt ?? null;
  // If appliances are configured, no regular lines are expected for `unnamed`, because lines that cannot be attributed
  // may come from a firewall.
  const isAwaited = name !== UNNAMED || options.appliances.length === 0 || options.appliances.includes(name);
  const reliableLineAt = isAwaited ? recentReliableLine(log, options) : null;
  const silentFor = isAwaited ? silence(reliableLineAt ?? lastLineAt ?? awaitedSince(name, state), options) : null;
  return {
    name,
    errors: log === undefined ? [] : errorsOf(log, state.bucketMs, options),
    errorsWithinHour: log === undefined ? 0 : errorsWithinHour(log, options.now),
    lastLineAt,
    reliableLineAt,
    silent: silentFor !== null,
    silentFor,
  };
}

/** After this time, a unit that was moved from TCP to UDP is no longer called silent. */
const RELIABLE_FOR: Millis = 7 * 86_400_000;

function recentReliableLine(log: ApplianceLog | undefined, { now, silentAfter }: PollingReportOptions): EpochMs | null {
  const at = log?.reliableLineAt ?? null;
  return at === null || now - at > silentAfter + RELIABLE_FOR ? null : at;
}

function awaitedSince(name: string, { awaited = {} }: PollingState): EpochMs | null {
  return Object.hasOwn(awaited, name) ? (awaited[name] ?? null) : null;
}

/** @param since time of the last line, or time from which the first line has been expected */
function silence(since: EpochMs | null, { now, silentAfter, listeningSince }: PollingReportOptions): Millis | null {
  if (since === null || listeningSince === null) return null;
  const listenedInVain = now - Math.max(since, listeningSince);
  return listenedInVain > silentAfter ? now - since : null;
}

function errorsOf(log: ApplianceLog, bucketMs: Millis, options: PollingReportOptions): readonly PollingError[] {
  const from = options.now - options.window;
  const errors: PollingError[] = [];
  const kept = [
    ...Object.entries(log.signatures).map(([id, entry]) => ({ id, entry, reliable: true })),
    ...Object.entries(log.unproven).map(([id, entry]) => ({ id, entry, reliable: false })),
  ];
  for (const { id, entry, reliable } of kept) {
    const signature = options.signatures.byId.get(id);
    // Uses the time of the last line, so that a bucket that overlaps the start of the window does not keep an older
    // entry.
    if (signature === undefined || entry.lastAt < from) continue;
    const { cause, severity, short, summary, remedy } = signature;
    errors.push({
      signature: id,
      cause,
      severity,
      ...(short === undefined ? {} : { short }),
      summary,
      remedy,
      ...countSince(entry, from, bucketMs),
      moments: momentsOf(entry),
      lastAt: entry.lastAt,
      ...(entry.ahead === undefined ? {} : { ahead: entry.ahead }),
      reliable,
      sample: entry.sample,
    });
  }
  return errors.toSorted(
    (a, b) =>
      compareSeverity(a.severity, b.severity) ||
      Number(b.reliable) - Number(a.reliable) ||
      b.lastAt - a.lastAt ||
      (a.signature < b.signature ? -1 : 1),
  );
}

type Counted = Pick<PollingError, 'count' | 'groups' | 'firstAt'>;

function countSince({ buckets, lastAt }: SignatureLog, from: EpochMs, bucketMs: Millis): Counted {
  const groups = buckets.filter(({ start }) => start + bucketMs > from);
  return { ...countedIn(groups, lastAt), groups: groups.map(({ firstAt, count }) => ({ firstAt, count })) };
}

function countedIn(groups: readonly LineGroup[], lastAt: EpochMs): Omit<Counted, 'groups'> {
  return {
    count: groups.reduce((sum, { count }) => sum + count, 0),
    firstAt: Math.min(lastAt, ...groups.map(({ firstAt }) => firstAt)),
  };
}

/** Returns the error without the lines of other times. Its last line is kept. */
export function withoutLines(error: PollingError, isOther: (at: EpochMs) => boolean): PollingError {
  const groups = error.groups.filter(({ firstAt }) => !isOther(firstAt));
  const { count, firstAt } = countedIn(groups, error.lastAt);
  const moments = error.moments.filter((at) => !isOther(at));
  return { ...error, groups, count: Math.max(1, count), firstAt, moments };
}
