import * as z from 'zod';
import {
  listens,
  awaitAppliances,
  emptyPolling,
  recordEvents,
  resumePolling,
  type PollingState,
  type ApplianceLog,
} from '../core/polling/state.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import { pollingReport, type PollingReport } from '../core/polling/report.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import type { JsonFile } from '../system/json-file.ts';
import type { Positions } from './tail.ts';

/** A clock that was set back by less than this is still believed. */
const TOLERATED_FUTURE: Millis = 60_000;

/** A restart, or a new configuration: what an appliance may have said meanwhile is made up for by what it says next. */
const SHORT_BREAK: Millis = 15 * 60_000;

const instant = z.number().int();
const count = z.number().int().positive();
const text = z.string().max(2_000);

const signatureLog = z.object({
  lastAt: instant,
  begunAt: instant.exactOptional(),
  reliableAt: instant.nullable().exactOptional(),
  sample: text,
  recent: z
    .array(z.object({ at: instant, count, line: text }))
    .max(100)
    .exactOptional(),
  heard: count.exactOptional(),
  buckets: z.array(z.object({ start: instant, firstAt: instant, count })).max(1_000),
});

const sighting = z.object({
  signature: text,
  firstAt: instant,
  lastAt: instant,
  count,
  reliableAt: instant.nullable().exactOptional(),
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

const state = z.object({
  version: z.literal(1),
  bucketMs: z.number().int().min(1_000),
  appliances: z.record(text, z.object({ lastLineAt: instant.nullable(), signatures: z.record(text, signatureLog) })),
  awaited: z.record(text, instant).exactOptional(),
  firewall: z.array(sighting).max(100),
});

const kept = z.object({ listening: z.object({ since: instant, until: instant }) });

/** From when to when the log was listened to. */
interface Listening {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

/**
 * Since when the log has been listened to, when the last one who did so stopped only just now; else null. Without it a
 * restart a day would hide for ever that an appliance fell silent.
 */
export function listenedSince(stored: unknown, now: EpochMs): EpochMs | null {
  const { data } = kept.safeParse(stored);
  if (data === undefined) return null;
  const { since, until } = data.listening;
  const isJustNow = now - until <= SHORT_BREAK && until <= now + TOLERATED_FUTURE;
  return isJustNow && since <= until ? Math.min(since, now) : null;
}

/**
 * What was kept before a restart; null when it is not what this version writes. What lies in the future was kept by a
 * clock that was wrong, and would count as just seen until then: errors are left out. A last line was there all the
 * same, and counts as of now.
 */
export function readPolling(stored: unknown, now: EpochMs): PollingState | null {
  const { data } = state.safeParse(stored);
  if (data === undefined) return null;
  const latest = now + TOLERATED_FUTURE;
  const entries = Object.entries(data.appliances).map(
    ([name, log]) => [name, withoutFuture(log, latest, now)] as const,
  );
  return {
    ...data,
    appliances: Object.fromEntries(entries),
    firewall: data.firewall.filter(({ lastAt }) => lastAt <= latest),
  };
}

function withoutFuture({ lastLineAt, signatures }: ApplianceLog, latest: EpochMs, now: EpochMs): ApplianceLog {
  return {
    lastLineAt: lastLineAt !== null && lastLineAt > latest ? now : lastLineAt,
    signatures: Object.fromEntries(Object.entries(signatures).filter(([, { lastAt }]) => lastAt <= latest)),
  };
}

/** What FortiAuthenticator's log has said, as far back as the window reaches, over restarts. */
export interface PollingLog {
  /** Continues with what was kept. @param stored what the file holds, unchecked */
  resume(stored: unknown): void;
  /** Keeps what there is now: a crash must not forget since when a first line is awaited. */
  keep(): void;
  record(event: LogEvent): void;
  report(): PollingReport;
  /** Keeps what was not kept yet, and until when it was listened. */
  stop(): Promise<void>;
}

interface PollingLogDeps {
  readonly clock: Clock;
  readonly signatures: SignatureSet;
  readonly file: JsonFile;
  /**
   * Where to go on in followed files. Kept with what they said, in one write: otherwise a crash in between would lose
   * errors, or count them twice.
   */
  readonly positions: () => Positions;
}

/** What a crash may forget: errors are kept soon, that an appliance spoke is written down at leisure. */
const KEEP_ERRORS_AFTER: Millis = 3_000;
const KEEP_SPEECH_AFTER: Millis = 60_000;
/** Until when it was listened: often enough that after a crash the break is taken for a short one. */
const KEEP_LISTENING_AFTER: Millis = SHORT_BREAK / 3;
/** Events that wait to be taken in together. */
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
    // Hands on what was read up to there, so it comes first.
    const files = positions();
    return file.save({ ...state(), ...listeningTo(clock.now(), listeningSince), files });
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

function listeningTo(until: EpochMs, since: EpochMs | null): { readonly listening?: Listening } {
  return since === null ? {} : { listening: { since, until } };
}

/** One file that is written again and again: soon or at leisure, and never twice at once. */
interface PlannedSave {
  /** Writes within this time, together with what is planned already. */
  within(delay: Millis): void;
  /** Writes now what is still planned, and resolves when all is written. */
  finish(): Promise<void>;
}

/** @param pause after each save the next one comes within this time */
function createPlannedSave(clock: Clock, write: () => Promise<void>, pause: Millis): PlannedSave {
  let planned: { readonly at: Millis; readonly cancel: () => void } | null = null;
  let saving: Promise<void> = Promise.resolve();

  function within(delay: Millis): void {
    const at = clock.elapsed() + delay;
    if (planned !== null && planned.at <= at) return;
    planned?.cancel();
    planned = { at, cancel: clock.after(delay, saveAndGoOn) };
  }

  function saveAndGoOn(): void {
    planned = null;
    // One after the other: two at once would write into the same file.
    saving = saving.then(write);
    within(pause);
  }

  return {
    within,
    finish: async () => {
      planned?.cancel();
      if (planned !== null) saving = saving.then(write);
      planned = null;
      await saving;
    },
  };
}
