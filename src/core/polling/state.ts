import type { EpochMs, Millis } from '../clock.ts';
import type { FirewallEvidence, LogEvent, LogSource } from './log-event.ts';

/**
 * Recent log activity. Plain JSON, so that it can be stored and resumed after a restart. Its size is limited by
 * appliances × signatures × BUCKETS, regardless of the number of lines.
 */
export interface PollingState {
  readonly version: 1;
  /** Width of a bucket in `counts`. */
  readonly bucketMs: Millis;
  /** By appliance name, with `unnamed` for lines without one. */
  readonly appliances: Readonly<Record<string, ApplianceLog>>;
  /** Since when lines of each configured appliance are expected, by name. Absent in state from an older version. */
  readonly awaited?: Readonly<Record<string, EpochMs>>;
  /** Most recent first, at most MAX_EVIDENCE kinds. */
  readonly firewall: readonly FirewallSighting[];
}

export interface ApplianceLog {
  readonly lastLineAt: EpochMs | null;
  /** By signature id. */
  readonly signatures: Readonly<Record<string, SignatureLog>>;
}

export interface SignatureLog {
  readonly lastAt: EpochMs;
  /** The first line since the last error-free period of a whole window. Absent in state from an older version. */
  readonly begunAt?: EpochMs;
  /** The last line since then that was not received as a datagram. */
  readonly reliableAt?: EpochMs | null;
  readonly sample: string;
  /** The latest lines, oldest first, at most MAX_RECENT. Absent in state from an older version. */
  readonly recent?: readonly RecentLine[];
  /** Total number of lines since the first one in memory. */
  readonly heard?: number;
  /** Oldest first. */
  readonly buckets: readonly Bucket[];
}

/** A line with its arrival time and the number of equal lines that arrived with it. */
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
  /** The first line after a whole window without any. */
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly count: number;
  /** The last line since then that was not a datagram. Absent in state from an older version. */
  readonly reliableAt?: EpochMs | null;
  readonly evidence: FirewallEvidence;
  readonly sample: string;
}

/** Name for lines that do not belong to a configured appliance. */
export const UNNAMED = 'unnamed';

const BUCKETS = 60;
const MAX_EVIDENCE = 16;
/** Per signature and appliance. Enough to show the rate, and how the lines differ. */
const MAX_RECENT = 8;

/** Returns a state without any lines. `window`: the span that reports will cover. */
export function emptyPolling(window: Millis): PollingState {
  return { version: 1, bucketMs: bucketWidth(window), appliances: {}, firewall: [] };
}

/** Resumes a stored state with a window that may have changed in the meantime. Counts keep their times. */
export function resumePolling(stored: PollingState, window: Millis): PollingState {
  const bucketMs = bucketWidth(window);
  if (stored.bucketMs === bucketMs) return stored;
  const appliances = mapValues(stored.appliances, (appliance) => ({
    lastLineAt: appliance.lastLineAt,
    signatures: mapValues(appliance.signatures, (log) => ({
      ...log,
      buckets: log.buckets.reduce<readonly Bucket[]>((buckets, bucket) => addToBuckets(buckets, bucketMs, bucket), []),
    })),
  }));
  return { ...stored, bucketMs, appliances };
}

/** Sets the appliances whose lines are expected. Appliances that are already expected keep their start time. */
export function awaitAppliances(state: PollingState, names: readonly string[], now: EpochMs): PollingState {
  const before = new Map(Object.entries(state.awaited ?? {}));
  return { ...state, awaited: Object.fromEntries(names.map((name) => [name, Math.min(before.get(name) ?? now, now)])) };
}

/** Applies several events in order. With a thousand appliances, this is far cheaper than one call for each event. */
export function recordEvents(state: PollingState, events: readonly LogEvent[]): PollingState {
  const appliances = new Map(Object.entries(state.appliances));
  let { firewall } = state;
  for (const event of events) {
    if (event.kind === 'firewall-evidence') {
      firewall = addSighting(firewall, event, state.bucketMs);
      continue;
    }
    const name = event.appliance ?? UNNAMED;
    appliances.set(
      name,
      afterEvent(appliances.get(name) ?? { lastLineAt: null, signatures: {} }, event, state.bucketMs),
    );
  }
  return { ...state, appliances: Object.fromEntries(appliances), firewall };
}

function afterEvent(
  log: ApplianceLog,
  event: Exclude<LogEvent, { kind: 'firewall-evidence' }>,
  bucketMs: Millis,
): ApplianceLog {
  const lastLineAt = latest(log.lastLineAt, event.at);
  if (event.kind === 'heard') return { ...log, lastLineAt };
  const before = Object.hasOwn(log.signatures, event.signature) ? log.signatures[event.signature] : undefined;
  return { lastLineAt, signatures: { ...log.signatures, [event.signature]: addLine(before, event, bucketMs) } };
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
  // One bucket more than the window has, because the start of the window is rarely the start of a bucket.
  const oldest = (all.at(-1)?.start ?? 0) - BUCKETS * bucketMs;
  return all.filter((bucket) => bucket.start >= oldest);
}

function addLine(
  before: SignatureLog | undefined,
  event: Extract<LogEvent, { kind: 'ftm' }>,
  bucketMs: Millis,
): SignatureLog {
  const { at, count, line } = event;
  const bucket: Bucket = { start: 0, firstAt: at, count };
  const reliableAt = isReliable(event.source) ? at : null;
  if (before === undefined) {
    const buckets = addToBuckets([], bucketMs, bucket);
    return { lastAt: at, begunAt: at, reliableAt, sample: line, recent: [{ at, count, line }], heard: count, buckets };
  }
  const isAnew = at > before.lastAt + BUCKETS * bucketMs;
  return {
    lastAt: latest(before.lastAt, at),
    begunAt: isAnew ? at : Math.min(momentsOf(before)[0] ?? at, at),
    reliableAt: later(isAnew ? null : before.reliableAt, reliableAt),
    sample: at >= before.lastAt ? line : before.sample,
    recent: addRecent(before.recent ?? [], event),
    heard: (before.heard ?? 0) + count,
    buckets: addToBuckets(before.buckets, bucketMs, bucket),
  };
}

/**
 * Returns times at which lines arrived since the errors that are still in the window began, with the resolution of a
 * bucket.
 */
export function momentsOf({ begunAt, lastAt, buckets }: SignatureLog): readonly EpochMs[] {
  const begun = begunAt ?? Math.min(lastAt, ...buckets.map(({ firstAt }) => firstAt));
  return [...new Set([begun, ...buckets.map(({ firstAt }) => firstAt).filter((at) => at > begun), lastAt])];
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
    reliableAt: later(isAnew ? null : known.reliableAt, isReliable(event.source) ? event.at : null),
    evidence: event.evidence,
    sample: event.line,
  };
  return [after, ...sightings.filter((sighting) => sighting !== known)].slice(0, MAX_EVIDENCE);
}

/**
 * Groups sightings that a firewall administrator would fix in one place. Addresses of the traffic are left out, so that
 * they cannot displace other sightings.
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

function later(before: EpochMs | null | undefined, at: EpochMs | null): EpochMs | null {
  return at === null ? (before ?? null) : latest(before ?? null, at);
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Lines of one kind in a log, without an error-free gap. */
export interface Complaint {
  /** Some of the times at which lines arrived, including the first and the last. */
  readonly moments: readonly EpochMs[];
  /** The last line from a source that cannot be forged with a single packet. Null if there was none. */
  readonly reliableAt: EpochMs | null;
}

/**
 * It is not documented how often FortiAuthenticator polls. A failed activation can log a single line, and a short
 * glitch several at the same time.
 */
const APART: Millis = 30_000;

/** Appended to a line that is not corroborated. */
export const ONE_DATAGRAM = ' (a single datagram so far, which proves little)';

/**
 * Reports whether an appliance's errors, or a firewall's log lines, are allowed to raise the severity. A single
 * datagram proves little, because its sender is forged as easily as its text, and the problem may already have ended.
 * Two separate times, or one line from a connection or a file, are enough.
 */
export function isCorroborated(complaints: readonly Complaint[]): boolean {
  const moments = complaints.flatMap((complaint) => complaint.moments);
  return (
    Math.max(...moments) - Math.min(...moments) >= APART || complaints.some(({ reliableAt }) => reliableAt !== null)
  );
}

/** A datagram has no handshake that would verify its sender. */
function isReliable(source: LogSource): boolean {
  return source !== 'udp';
}

/** The part of the configuration that defines log sources. */
interface Listeners {
  readonly logs: {
    readonly syslog: Readonly<Record<'udp' | 'tcp' | 'tls', object | null>>;
    readonly files: readonly string[];
  };
}

/** Reports whether any log source is configured. */
export function listens({ logs: { syslog, files } }: Listeners): boolean {
  return Object.values(syslog).some((listener) => listener !== null) || files.length > 0;
}
