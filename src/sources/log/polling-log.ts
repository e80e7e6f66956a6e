import { listens } from '../../core/polling/listens.ts';
import type { IntakeSettings } from './intake-config.ts';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import type { LogEvent } from '../../core/polling/log-event.ts';
import { pollingReport, type PollingReport } from '../../core/polling/report.ts';
import type { SignatureSet } from '../../core/polling/signature.ts';
import {
  awaitAppliances,
  emptyPolling,
  recordEvents,
  resumePolling,
  type PollingState,
} from '../../core/polling/state.ts';
import type { JsonFile } from '../../system/json-file.ts';
import type { Positions } from './positions.ts';
import { createPlannedSave } from './planned-save.ts';
import { listenedSince, readPolling, SHORT_BREAK, type Listening } from './polling-file.ts';

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

export interface PollingLogDeps {
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
  config: Pick<IntakeSettings, 'logs' | 'appliances'>,
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
