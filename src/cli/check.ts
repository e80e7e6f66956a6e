import { activationOutlook } from '../checks/activation-steps.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { spanText } from '../core/time-text.ts';
import { nameList } from '../core/phrases.ts';
import type { Diagnosis } from '../engine/model.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { noChannelNote } from '../notify/channels/registry.ts';
import {
  CHECK_EXIT,
  exitCodeBeside,
  exitCodeOf,
  pluginAnswer,
  type PluginAnswer,
  pluginUnknown,
} from '../report/nagios-line.ts';
import { type DiagnosisAsides, renderDiagnosis, type UnseenIncident, unseenIncidents } from '../report/report-text.ts';
import type { TextStyle } from '../document/terminal.ts';
import { renderSteps } from '../report/report-text.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { newerStoreAt } from '../store/stored-history.ts';
import { deadline } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { readDaemonStatus } from './daemon-client.ts';
import { examine, neededToExamine } from './examine.ts';
import { loadOrExplain, type Invocation, storeOrExplain } from './terminal.ts';

/** Of a round that listens to nothing. */
export const UNHEARD: LogPart = {
  kind: 'unheard',
  reason: 'Not looked at: only the daemon listens to the log',
  isTrouble: false,
};

/** The daemon answers at once, unless it is blocked. */
const DAEMON_LIMIT: Millis = 3_000;

export interface CheckForm {
  /** One JSON object instead of text. */
  readonly json: boolean;
  /** With the steps of an activation. */
  readonly steps: boolean;
  /** What is not seen by then is unknown. */
  readonly timeout: Millis;
}

/** For what comes before and after the looks. */
const MARGIN: Millis = 500;

/** One round of everything. Returns the exit code. */
export async function check(form: CheckForm, terminal: Invocation): Promise<number> {
  const { json, timeout } = form;
  const config = await loadOrExplain(terminal, neededToExamine);
  if (config === null) return CHECK_EXIT.unknown;
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  const progress = json ? null : terminal.progress;
  const limit = Math.max(MARGIN, timeout - MARGIN);
  const { diagnosis, waitingFor } = await examine({ ...terminal, config, log: UNHEARD, progress, limit });
  const ended = waitingFor.length === 0 ? null : { after: timeout, waitingFor };
  const unseen = await unseenBy(diagnosis, config.store.path, terminal);
  const asides = { note: noteOf(config, ended), unseen: unseen ?? [] };
  terminal.output.write(
    json
      ? jsonOf(diagnosis, { unseen, ended }, form)
      : textOf(diagnosis, { ...form, ...asides, style: terminal.style }),
  );
  return exitCodeBeside(exitCodeOf(diagnosisToJson(diagnosis), { by: 'itself' }), asides.unseen);
}

function jsonOf(
  diagnosis: Diagnosis,
  { unseen, ended }: { readonly unseen: readonly UnseenIncident[] | null; readonly ended: Ended | null },
  { steps }: CheckForm,
): string {
  const whole = {
    ...diagnosisToJson(diagnosis),
    ...(steps ? { steps: activationOutlook(diagnosis).steps } : {}),
    ...(unseen === null ? {} : { openIncidents: unseen }),
    ...(ended === null ? {} : { waitingFor: ended.waitingFor }),
  };
  return `${JSON.stringify(whole)}\n`;
}

function textOf(
  diagnosis: Diagnosis,
  { steps, style, ...asides }: CheckForm & DiagnosisAsides & { readonly style: TextStyle },
): string {
  return `${renderDiagnosis(diagnosis, style, asides)}${steps ? `\n${renderSteps(diagnosis, style)}` : ''}`;
}

/** Null: no daemon runs, or it has no verdict yet. One that cannot be asked is named on standard error. */
async function unseenBy(
  diagnosis: Diagnosis,
  storePath: string,
  terminal: Invocation,
): Promise<readonly UnseenIncident[] | null> {
  if (terminal.signal.aborted) return null;
  using limit = deadline(terminal.clock, DAEMON_LIMIT, terminal.signal);
  try {
    const daemon = await readDaemonStatus(storePath, { ...terminal, signal: limit.signal });
    if (daemon === null || typeof daemon.diagnosis === 'string') return null;
    return unseenIncidents(diagnosis, { ...daemon, diagnosis: daemon.diagnosis });
  } catch (error) {
    const why = limit.expired() ? `no answer within ${String(DAEMON_LIMIT / 1000)} s` : messageOf(error);
    terminal.errors.write(`The open incidents of the running daemon are not shown: ${why}\n`);
    return null;
  }
}

/** When it ended before everything was seen. */
interface Ended {
  readonly after: Millis;
  readonly waitingFor: readonly string[];
}

const MOST_NAMED = 5;

function noteOf({ notify }: Config, ended: Ended | null): string | null {
  const notes = [
    ...(ended === null
      ? []
      : [
          `Ended after ${spanText(ended.after)}, still waiting for ${nameList(ended.waitingFor, MOST_NAMED)}. ` +
            'With --timeout it waits longer.',
        ]),
    noChannelNote(notify) ?? [],
  ].flat();
  return notes.length === 0 ? null : notes.join(' ');
}

export interface PluginLimits {
  /** For all of it. */
  readonly timeout: Millis;
  /** How old the daemon's last round may be. */
  readonly longest: Millis;
}

/**
 * What the daemon knows, or where none runs a round of its own, as one line of a monitoring plugin. Writes nothing to
 * standard error, which Icinga takes for a part of the output. Returns the exit code.
 */
export async function checkNagios(limits: PluginLimits, terminal: Invocation): Promise<number> {
  const { text, exitCode } = await answer(limits, terminal);
  terminal.output.write(text);
  return exitCode;
}

async function answer({ timeout, longest }: PluginLimits, terminal: Invocation): Promise<PluginAnswer> {
  using limit = deadline(terminal.clock, timeout, terminal.signal);
  const said: string[] = [];
  const quiet = { ...terminal, signal: limit.signal, progress: null, errors: { write: said.push.bind(said) } };
  try {
    const answered = (await askDaemon(longest, quiet)) ?? (await ownRound(quiet));
    if (limit.expired()) return pluginUnknown(`No verdict within ${String(timeout / 1000)} s`);
    return answered ?? pluginUnknown(said.join('').split('\n')[0] ?? '');
  } catch (error) {
    return pluginUnknown(limit.expired() ? `No verdict within ${String(timeout / 1000)} s` : messageOf(error));
  }
}

/** Null: none runs, or it cannot be found. */
async function askDaemon(longest: Millis, terminal: Invocation): Promise<PluginAnswer | null> {
  const storePath = await storeOrExplain(terminal);
  const status = storePath === null ? null : await readDaemonStatus(storePath, terminal);
  if (status === null) return null;
  const { diagnosis, incidents } = status;
  if (typeof diagnosis === 'string') return pluginUnknown(diagnosis);
  return pluginAnswer(diagnosis, { by: 'daemon', incidents, now: terminal.clock.now(), longest });
}

/** Null: the configuration is not valid. */
async function ownRound(terminal: Invocation): Promise<PluginAnswer | null> {
  const config = await loadOrExplain(terminal, neededToExamine);
  if (config === null) return null;
  const { diagnosis } = await examine({ ...terminal, config, log: UNHEARD });
  return pluginAnswer(diagnosisToJson(diagnosis), { by: 'itself' });
}
