import * as z from 'zod';
import {
  listens,
  awaitAppliances,
  emptyPolling,
  recordEvents,
  resumePolling,
  type PollingState,
  type ApplianceLog,
  type FirewallSighting,
} from '../core/polling/state.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import { pollingReport, type PollingReport } from '../core/polling/report.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import type { JsonFile } from '../system/json-file.ts';
import type { Positions } from './tail.ts';

/** A saved time can be slightly in the future if the clock was set back. */
const TOLERATED_FUTURE: Millis = 60_000;

/**
 * Shorter interruptions, such as a restart, are ignored, because the next lines from an appliance provide enough
 * information.
 */
const SHORT_BREAK: Millis = 15 * 60_000;

const instant = z.number().int();
const count = z.number().int().positive();
const text = z.string().max(2_000);

const buckets = z.array(z.object({ start: instant, firstAt: instant, count })).max(1_000);

const signatureLog = z.object({
  lastAt: instant,
  ahead: count.exactOptional(),
  begunAt: instant.exactOptional(),
  sample: text,
  recent: z
    .array(z.object({ at: instant, count, line: text }))
    .max(100)
    .exactOptional(),
  heard: count.exactOptional(),
  buckets,
});

const sighting = z.object({
  signature: text,
  firstAt: instant,
  lastAt: instant,
  count,
  evidence: z.object({
    device: text.nullable(),
    policy: text.nullable(),
    profile: text.nullable(),
    action: text.nullable(),
    sourceAddress: text.nullable(),
    destinationAddress: text.nullable(),
    hostName: text.nullable(),
  }),
  sample: text,
});

/** Version 0.1.0 did not keep apart what anybody can have written. Therefore, all that it stored is unproven. */
const applianceLog = z
  .object({
    lastLineAt: instant.nullable(),
    reliableLineAt: instant.nullable().prefault(null),
    errorsByMinute: buckets.prefault([]),
    signatures: z.record(text, signatureLog),
    unproven: z.record(text, signatureLog).exactOptional(),
  })
  .transform(({ unproven, signatures, ...log }) =>
    unproven === undefined ? { ...log, signatures: {}, unproven: signatures } : { ...log, signatures, unproven },
  );

const state = z.object({
  version: z.literal(1),
  bucketMs: z.number().int().min(1_000),
  appliances: z.record(text, applianceLog),
  awaited: z.record(text, instant).exactOptional(),
  firewall: z.array(sighting).max(100),
  otherTraffic: z.array(sighting).max(100).prefault([]),
  unprovenFirewall: z
    .object({ moments: z.tuple([instant, instant]).nullable(), sightings: z.array(sighting).max(100) })
    .exactOptional(),
});

const kept = z.object({ listening: z.object({ since: instant, until: instant }) });

/**
 * Ignores short interruptions. If restarts reset this time, a daily restart would prevent ftm-watch from detecting that
 * an appliance has stopped sending lines. Returns null after a long interruption.
 */
export function listenedSince(stored: unknown, now: EpochMs): EpochMs | null {
  const { data } = kept.safeParse(stored);
  if (data === undefined) return null;
  const { since, until } = data.listening;
  const isJustNow = now - until <= SHORT_BREAK && until <= now + TOLERATED_FUTURE;
  return isJustNow && since <= until ? Math.min(since, now) : null;
}

/**
 * Returns null if another version saved a different format. Errors with a time in the future are dropped, because the
 * clock was wrong and they would count as recent for too long. If the last line's time is in the future, the current
 * time is used instead.
 */
export function readPolling(stored: unknown, now: EpochMs): PollingState | null {
  const { data } = state.safeParse(stored);
  if (data === undefined) return null;
  const latest = now + TOLERATED_FUTURE;
  const entries = Object.entries(data.appliances).map(
    ([name, log]) => [name, withoutFuture(log, latest, now)] as const,
  );
  const firewall = data.unprovenFirewall === undefined ? [] : data.firewall;
  const unprovenFirewall = data.unprovenFirewall ?? unprovenOf(data.firewall);
  const isPast = ({ lastAt }: FirewallSighting): boolean => lastAt <= latest;
  const isFuture = unprovenFirewall.moments !== null && unprovenFirewall.moments[1] > latest;
  return {
    ...data,
    appliances: Object.fromEntries(entries),
    firewall: firewall.filter(isPast),
    otherTraffic: data.otherTraffic.filter(isPast),
    unprovenFirewall: isFuture ? { moments: null, sightings: [] } : unprovenFirewall,
  };
}

function unprovenOf(sightings: readonly FirewallSighting[]): PollingState['unprovenFirewall'] {
  const moments = sightings.flatMap(({ firstAt, lastAt }) => [firstAt, lastAt]);
  return { moments: moments.length === 0 ? null : [Math.min(...moments), Math.max(...moments)], sightings };
}

function withoutFuture(log: ApplianceLog, latest: EpochMs, now: EpochMs): ApplianceLog {
  const past = (at: EpochMs | null): EpochMs | null => (at !== null && at > latest ? now : at);
  const pastOnly = (lines: ApplianceLog['signatures']): ApplianceLog['signatures'] =>
    Object.fromEntries(Object.entries(lines).filter(([, { lastAt }]) => lastAt <= latest));
  return {
    lastLineAt: past(log.lastLineAt),
    reliableLineAt: past(log.reliableLineAt),
    errorsByMinute: log.errorsByMinute.filter(({ firstAt }) => firstAt <= latest),
    signatures: pastOnly(log.signatures),
    unproven: pastOnly(log.unproven),
  };
}

interface PollingLog {
  /** @param stored content of the state file, not validated */
  resume(stored: unknown): void;
  /** Saves the time since which a first line has been expected, because a crash would otherwise lose it. */
  keep(): void;
  record(event: LogEvent): void;
  report(): PollingReport;
  /** Saves all unsaved changes and the time up to which logs were received. */
  stop(): Promise<void>;
}

interface PollingLogDeps {
  readonly clock: Clock;
  readonly signatures: SignatureSet;
  readonly file: JsonFile;
  /**
   * Saved together with the results, because a crash between two separate writes would lose errors or count them twice.
   */
  readonly positions: () => Positions;
}

/** Maximum delay before new errors are saved, which limits the data that a crash can lose. */
const KEEP_ERRORS_AFTER: Millis = 3_000;
const KEEP_SPEECH_AFTER: Millis = 60_000;
/** Shorter than `SHORT_BREAK`, so that a crash counts as a short interruption. */
const KEEP_LISTENING_AFTER: Millis = SHORT_BREAK / 3;
/** Maximum number of events that are processed together. */
const MOST_WAITING = 1_024;

export function createPollingLog(
  config: Pick<WatchedConfig, 'logs' | 'appliances'>,
  { clock, signatures, file, positions }: PollingLogDeps,
): PollingLog {
  const { window, silentAfter } = config.logs;
  const appliances = config.appliances.map(({ name }) => name);
  let listeningSince: EpochMs | null = listens(config) ? clock.now() : null;
  let settled = emptyPolling(window);
  const waiting: LogEvent[] = [];
  function state(): PollingState {
    if (waiting.length > 0) settled = recordEvents(settled, waiting.splice(0));
    return settled;
  }

  function save(): Promise<void> {
    // The positions are read first, because reading them delivers all earlier events.
    const files = positions();
    const listening = listeningSince === null ? {} : { listening: { since: listeningSince, until: clock.now() } };
    return file.save({ ...state(), ...listening, files });
  }

  const saves = createPlannedSave(clock, save, KEEP_LISTENING_AFTER);

  return {
    resume: (content) => {
      const stored = readPolling(content, clock.now());
      if (stored !== null) settled = resumePolling(stored, window);
      if (listeningSince === null) return;
      listeningSince = listenedSince(content, clock.now()) ?? listeningSince;
      settled = awaitAppliances(settled, appliances, clock.now());
    },
    keep: () => {
      if (listeningSince !== null) saves.within(0);
    },
    record: (event) => {
      waiting.push(event);
      if (waiting.length >= MOST_WAITING) state();
      saves.within(event.kind === 'heard' ? KEEP_SPEECH_AFTER : KEEP_ERRORS_AFTER);
    },
    report: () =>
      pollingReport(state(), {
        now: clock.now(),
        window,
        silentAfter,
        appliances,
        signatures,
        listeningSince,
      }),
    stop: () => saves.finish(),
  };
}

/**
 * Schedules writes to one file with different delays, and never runs two writes at the same time.
 * @param pause maximum time between two saves
 */
function createPlannedSave(clock: Clock, write: () => Promise<void>, pause: Millis) {
  let planned: { readonly at: Millis; readonly cancel: () => void } | null = null;
  let saving: Promise<void> = Promise.resolve();

  /** Has no effect if an earlier write is already scheduled. */
  function within(delay: Millis): void {
    const at = clock.elapsed() + delay;
    if (planned !== null && planned.at <= at) return;
    planned?.cancel();
    planned = { at, cancel: clock.after(delay, saveAndGoOn) };
  }

  function saveAndGoOn(): void {
    planned = null;
    // Writes run one after another, because they all go to the same file.
    saving = saving.then(write);
    within(pause);
  }

  return {
    within,
    /** Runs a scheduled write immediately. Resolves when all writes are complete. */
    finish: async (): Promise<void> => {
      planned?.cancel();
      if (planned !== null) saving = saving.then(write);
      planned = null;
      await saving;
    },
  };
}
