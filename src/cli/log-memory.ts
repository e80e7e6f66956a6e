import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import type { EpochMs } from '../core/clock.ts';
import { pollingReport, type PollingReport } from '../core/polling/report.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { resumePolling } from '../core/polling/state.ts';
import type { LogMemory } from '../report/report-contents.ts';
import { type StoredHistory, readStoredHistory } from '../store/stored-history.ts';
import { loadKnownSignatures } from '../runtime/known-signatures.ts';
import { NOTHING_REMEMBERED, type LogPart, rememberedFrom } from '../checks/conclude.ts';
import { listenedSince, readPolling } from '../logs/polling-log.ts';
import { stateFile } from '../runtime/store-places.ts';
import { messageOf } from '../text/message-of.ts';

/** The limits allow a year of incidents but keep a report small enough to be sent by email. */
export const HISTORY_LIMITS = { incidents: 100, outboxEntries: 300, certificates: 20 } as const;

interface Stored {
  readonly logMemory: LogMemory;
  readonly log: LogPart;
}

/** Reads what a daemon has saved in the configured store, without changing it. */
export async function readStored(config: Config, now: EpochMs): Promise<Stored> {
  const storedHistory = readStoredHistory(config.store.path, HISTORY_LIMITS);
  const logMemory = await readLogMemory(config, now);
  const signatures = await loadKnownSignatures(config.logs.signatureFiles);
  return { logMemory, log: logPartOf(config, { logMemory, storedHistory, signatures, now }) };
}

async function readLogMemory(config: Pick<Config, 'store'>, now: EpochMs): Promise<LogMemory> {
  const path = stateFile(config, 'polling.json');
  try {
    const stored: unknown = JSON.parse(await readFile(path, 'utf8'));
    const state = readPolling(stored, now);
    if (state === null)
      return { kind: 'unreadable', message: `"${path}" is damaged or was written by another version` };
    return { kind: 'read', state, listeningSince: listenedSince(stored, now) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
    const reason = error instanceof SyntaxError ? 'it is damaged' : messageOf(error);
    return { kind: 'unreadable', message: `"${path}": ${reason}` };
  }
}

interface LogPartSources {
  readonly logMemory: LogMemory;
  readonly storedHistory: StoredHistory;
  readonly signatures: SignatureSet;
  readonly now: EpochMs;
}

/** The absence of errors counts as evidence only while the daemon is receiving the log. */
export function logPartOf(config: Config, { logMemory, storedHistory, signatures, now }: LogPartSources): LogPart {
  switch (logMemory.kind) {
    case 'none':
      return unheard('Not checked, because only the daemon receives the log, and no log data is stored');
    case 'unreadable':
      return { kind: 'unheard', reason: "The daemon's stored log data cannot be read", isTrouble: true };
    case 'read':
      break;
  }
  const { window, silentAfter } = config.logs;
  const report = pollingReport(resumePolling(logMemory.state, window), {
    now,
    window,
    silentAfter,
    appliances: config.appliances.map(({ name }) => name),
    signatures,
    listeningSince: logMemory.listeningSince,
  });
  if (logMemory.listeningSince === null && !tellsOfTrouble(report))
    return unheard('Not checked, because only the daemon receives the log, and the stored log data is out of date');
  const remembered = storedHistory.kind === 'read' ? rememberedFrom(storedHistory.incidents) : NOTHING_REMEMBERED;
  return { kind: 'heard', report, unknownSenders: [], ...remembered };
}

function unheard(reason: string): LogPart {
  return { kind: 'unheard', reason, isTrouble: false };
}

function tellsOfTrouble({ appliances, firewallEvidence }: PollingReport): boolean {
  return firewallEvidence.length > 0 || appliances.some(({ errors }) => errors.length > 0);
}
