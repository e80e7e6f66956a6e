import type { EpochMs, Millis } from '../clock.ts';
import type { FirewallEvidence, LogEvent } from './log-event.ts';

/**
 * Plain JSON, kept across restarts. The size is at most appliances × signatures × BUCKETS entries, regardless of the
 * number of lines.
 */
export interface PollingState {
  readonly version: 1;
  readonly bucketMs: Millis;
  /** By name. Lines without an appliance are counted as `unnamed`. */
  readonly appliances: Readonly<Record<string, ApplianceLog>>;
  /** Time from which lines are expected, by appliance. Absent in state that an older version stored. */
  readonly awaited?: Readonly<Record<string, EpochMs>>;
  /** From reliable senders. Most recent first, at most MAX_SIGHTINGS. */
  readonly firewall: readonly FirewallSighting[];
  readonly unprovenFirewall: UnprovenSightings;
  /** From any sender, about traffic that does not come from a unit. Most recent first, at most MAX_UNPROVEN_SIGHTINGS. */
  readonly otherTraffic: readonly FirewallSighting[];
}

export interface ApplianceLog {
  readonly lastLineAt: EpochMs | null;
  /** Null also if an older version stored the state. */
  readonly reliableLineAt: EpochMs | null;
  /** All errors, by minute, oldest first. Covers an hour, whatever the window is. */
  readonly errorsByMinute: readonly Bucket[];
  /** By signature ID. From reliable senders. */
  readonly signatures: Readonly<Record<string, SignatureLog>>;
  /** By signature ID. Anybody can have written these lines. They are kept apart, so that they change nothing else. */
  readonly unproven: Readonly<Record<string, SignatureLog>>;
}

export interface SignatureLog {
  readonly lastAt: EpochMs;
  /** How far the time in the last line is ahead of this machine's clock. Absent if it is not ahead. */
  readonly ahead?: Millis;
  /** First line after a whole window without such lines. Absent in state that an older version stored. */
  readonly begunAt?: EpochMs;
  readonly sample: string;
  /** Oldest first, at most MAX_RECENT. Absent in state that an older version stored. */
  readonly recent?: readonly RecentLine[];
  /** Number of lines since `begunAt`. */
  readonly heard?: number;
  /** Oldest first. */
  readonly buckets: readonly Bucket[];
}

interface RecentLine {
  readonly at: EpochMs;
  readonly count: number;
  readonly line: string;
}

interface Bucket {
  readonly start: EpochMs;
  readonly firstAt: EpochMs;
  readonly count: number;
}

export interface FirewallSighting {
  readonly signature: string;
  /** First line after a whole window without such lines. */
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly count: number;
  readonly evidence: FirewallEvidence;
  readonly sample: string;
}

/**
 * Lines about a firewall that anybody can have written. The times cover all lines, so that lines that displace each
 * other still corroborate each other.
 */
export interface UnprovenSightings {
  /** First and last line without a whole window in between. Null if there was none. */
  readonly moments: readonly [first: EpochMs, last: EpochMs] | null;
  /** Most recent first, at most MAX_UNPROVEN_SIGHTINGS. */
  readonly sightings: readonly FirewallSighting[];
}

/** For lines that do not belong to a configured appliance. */
export const UNNAMED = 'unnamed';

const BUCKETS = 60;
const MINUTE: Millis = 60_000;
const MAX_SIGHTINGS = 16;
const MAX_UNPROVEN_SIGHTINGS = 4;
/** Per signature and appliance. Recent lines show the rate and how the lines differ. */
const MAX_RECENT = 8;

/** `window` is the period that reports cover. */
export function emptyPolling(window: Millis): PollingState {
  const unprovenFirewall = { moments: null, sightings: [] };
  return {
    version: 1,
    bucketMs: bucketWidth(window),
    appliances: {},
    firewall: [],
    unprovenFirewall,
    otherTraffic: [],
  };
}

/** The window may have changed in the meantime. The times of counted lines are kept. */
export function resumePolling(stored: PollingState, window: Millis): PollingState {
  const bucketMs = bucketWidth(window);
  if (stored.bucketMs === bucketMs) return stored;
  const resumed = (log: SignatureLog): SignatureLog => ({
    ...log,
    buckets: log.buckets.reduce<readonly Bucket[]>((buckets, bucket) => addToBuckets(buckets, bucketMs, bucket), []),
  });
  const appliances = mapValues(stored.appliances, (appliance) => ({
    ...appliance,
    signatures: mapValues(appliance.signatures, resumed),
    unproven: mapValues(appliance.unproven, resumed),
  }));
  return { ...stored, bucketMs, appliances };
}

/** Appliances that were already expected keep their start time. */
export function awaitAppliances(state: PollingState, names: readonly string[], now: EpochMs): PollingState {
  const before = new Map(Object.entries(state.awaited ?? {}));
  return { ...state, awaited: Object.fromEntries(names.map((name) => [name, Math.min(before.get(name) ?? now, now)])) };
}

/** With a thousand appliances, this is much faster than one call per event. */
export function recordEvents(state: PollingState, events: readonly LogEvent[]): PollingState {
  const appliances = new Map(Object.entries(state.appliances));
  let { firewall, unprovenFirewall, otherTraffic } = state;
  for (const event of events) {
    if (event.kind !== 'firewall-evidence') {
      const name = event.appliance ?? UNNAMED;
      appliances.set(name, afterEvent(appliances.get(name) ?? NEVER_HEARD, event, state.bucketMs));
    } else if (!event.ofUnit) {
      otherTraffic = addSighting(otherTraffic, event, state.bucketMs).slice(0, MAX_UNPROVEN_SIGHTINGS);
    } else if (event.reliable) {
      firewall = addSighting(firewall, event, state.bucketMs).slice(0, MAX_SIGHTINGS);
    } else {
      unprovenFirewall = addUnproven(unprovenFirewall, event, state.bucketMs);
    }
  }
  return { ...state, appliances: Object.fromEntries(appliances), firewall, unprovenFirewall, otherTraffic };
}

const NEVER_HEARD: ApplianceLog = {
  lastLineAt: null,
  reliableLineAt: null,
  errorsByMinute: [],
  signatures: {},
  unproven: {},
};

function afterEvent(
  log: ApplianceLog,
  event: Exclude<LogEvent, { kind: 'firewall-evidence' }>,
  bucketMs: Millis,
): ApplianceLog {
  const heard: ApplianceLog = {
    ...log,
    lastLineAt: latest(log.lastLineAt, event.at),
    ...(event.reliable ? { reliableLineAt: latest(log.reliableLineAt, event.at) } : {}),
  };
  if (event.kind === 'heard') return heard;
  const place = event.reliable ? 'signatures' : 'unproven';
  const lines = heard[place];
  const before = Object.hasOwn(lines, event.signature) ? lines[event.signature] : undefined;
  return {
    ...heard,
    errorsByMinute: addToBuckets(heard.errorsByMinute, MINUTE, { start: 0, firstAt: event.at, count: event.count }),
    [place]: { ...lines, [event.signature]: addLine(before, event, bucketMs) },
  };
}

function addToBuckets(buckets: readonly Bucket[], bucketMs: Millis, added: Bucket): readonly Bucket[] {
  const start = Math.floor(added.firstAt / bucketMs) * bucketMs;
  const index = buckets.findIndex((bucket) => bucket.start === start);
  const found = buckets[index];
  if (found !== undefined) {
    return buckets.with(index, {
      start,
      firstAt: Math.min(found.firstAt, added.firstAt),
      count: found.count + added.count,
    });
  }
  const all = [...buckets, { start, firstAt: added.firstAt, count: added.count }].toSorted((a, b) => a.start - b.start);
  // One additional bucket is kept, because the window rarely starts at a bucket boundary.
  const oldest = (all.at(-1)?.start ?? 0) - BUCKETS * bucketMs;
  return all.filter((bucket) => bucket.start >= oldest);
}

function addLine(
  before: SignatureLog | undefined,
  event: Extract<LogEvent, { kind: 'ftm' }>,
  bucketMs: Millis,
): SignatureLog {
  const { at, count, line, ahead } = event;
  const bucket: Bucket = { start: 0, firstAt: at, count };
  if (before === undefined) {
    const buckets = addToBuckets([], bucketMs, bucket);
    const last = { lastAt: at, ...aheadBy(ahead), sample: line };
    return { ...last, begunAt: at, recent: [{ at, count, line }], heard: count, buckets };
  }
  const isAnew = at > before.lastAt + BUCKETS * bucketMs;
  const isLast = at >= before.lastAt;
  return {
    lastAt: latest(before.lastAt, at),
    ...aheadBy(isLast ? ahead : before.ahead),
    begunAt: isAnew ? at : Math.min(momentsOf(before)[0] ?? at, at),
    sample: isLast ? line : before.sample,
    recent: addRecent(before.recent ?? [], event),
    heard: (before.heard ?? 0) + count,
    buckets: addToBuckets(before.buckets, bucketMs, bucket),
  };
}

function aheadBy(ahead: Millis | undefined): Pick<SignatureLog, 'ahead'> {
  return ahead === undefined ? {} : { ahead };
}

/** Arrival times of lines since the current errors began, rounded to buckets. */
export function momentsOf({ begunAt, lastAt, buckets }: SignatureLog): readonly EpochMs[] {
  const begun = begunAt ?? Math.min(lastAt, ...buckets.map(({ firstAt }) => firstAt));
  return [...new Set([begun, ...buckets.map(({ firstAt }) => firstAt).filter((at) => at > begun), lastAt])];
}

export function errorsWithinHour({ errorsByMinute }: ApplianceLog, now: EpochMs): number {
  return errorsByMinute
    .filter(({ start }) => start + MINUTE > now - BUCKETS * MINUTE)
    .reduce((sum, { count }) => sum + count, 0);
}

function addRecent(recent: readonly RecentLine[], { at, count, line }: RecentLine): readonly RecentLine[] {
  const all = [...recent, { at, count, line }];
  return all.toSorted((a, b) => a.at - b.at).slice(-MAX_RECENT);
}

function addSighting(
  sightings: readonly FirewallSighting[],
  event: Extract<LogEvent, { kind: 'firewall-evidence' }>,
  bucketMs: Millis,
): readonly FirewallSighting[] {
  const key = sightingKey(event.signature, event.evidence);
  const known = sightings.find((sighting) => sightingKey(sighting.signature, sighting.evidence) === key);
  const isAnew = known === undefined || event.at > known.lastAt + BUCKETS * bucketMs;
  const before = isAnew ? { firstAt: event.at, lastAt: event.at, count: 0 } : known;
  const after: FirewallSighting = {
    signature: event.signature,
    firstAt: Math.min(before.firstAt, event.at),
    lastAt: Math.max(before.lastAt, event.at),
    count: before.count + event.count,
    evidence: event.evidence,
    sample: event.line,
  };
  return [after, ...sightings.filter((sighting) => sighting !== known)];
}

function addUnproven(
  { moments, sightings }: UnprovenSightings,
  event: Extract<LogEvent, { kind: 'firewall-evidence' }>,
  bucketMs: Millis,
): UnprovenSightings {
  const [first, last] = moments === null || event.at > moments[1] + BUCKETS * bucketMs ? [event.at, event.at] : moments;
  return {
    moments: [Math.min(first, event.at), Math.max(last, event.at)],
    sightings: addSighting(sightings, event, bucketMs).slice(0, MAX_UNPROVEN_SIGHTINGS),
  };
}

/**
 * Groups lines whose cause an administrator would fix in one place. The key excludes traffic addresses, so that lines
 * with many different addresses cannot displace other groups.
 */
function sightingKey(signature: string, evidence: FirewallEvidence): string {
  return JSON.stringify([signature, evidence.device, evidence.policy, evidence.profile, evidence.action]);
}

function bucketWidth(window: Millis): Millis {
  return Math.max(1000, Math.ceil(window / BUCKETS));
}

function latest(before: EpochMs | null, at: EpochMs): EpochMs {
  return before === null ? at : Math.max(before, at);
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Log lines of one kind, with no error-free window in between. */
export interface Complaint {
  /** Arrival times of some lines, including the first and the last line. */
  readonly moments: readonly EpochMs[];
  /** True if the lines come from reliable senders, and false if anybody can have written them. */
  readonly reliable: boolean;
}

/**
 * Two lines at least this far apart count as separate errors. A failed activation may log only one line, and a brief
 * glitch may log several lines at once. Fortinet does not document how often FortiAuthenticator polls.
 */
const APART: Millis = 30_000;

/** Appended to a line that is backed by only one unproven line. */
export const ONE_UNPROVEN = ' (backed by only one line from an unverified sender so far, which is weak evidence)';

/**
 * Returns whether the lines can raise the severity. A single datagram is weak evidence, because its sender and text are
 * easily forged, and the problem may already have ended. Lines at two separate times, or one line from a reliable
 * sender, are sufficient.
 */
export function isSufficientEvidence(complaints: readonly Complaint[]): boolean {
  const moments = complaints.flatMap((complaint) => complaint.moments);
  return Math.max(...moments) - Math.min(...moments) >= APART || complaints.some(({ reliable }) => reliable);
}

interface Listeners {
  readonly logs: {
    readonly syslog: Readonly<Record<'udp' | 'tcp' | 'tls', object | null>>;
    readonly files: readonly string[];
  };
}

export function listens({ logs: { syslog, files } }: Listeners): boolean {
  return Object.values(syslog).some((listener) => listener !== null) || files.length > 0;
}
