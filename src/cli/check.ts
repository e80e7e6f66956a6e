import { activationOutlook } from '../checks/activation-steps.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { MailObservation } from '../core/observation.ts';
import { spanText } from '../core/time-text.ts';
import { nameList } from '../core/visible-text.ts';
import type { Diagnosis } from '../engine/model.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { noChannelNote } from '../notify/channels/registry.ts';
import { exitCodeBeside, exitCodeOf, pluginAnswer, type PluginAnswer, pluginUnknown } from '../report/nagios-line.ts';
import {
  type DiagnosisAsides,
  renderDiagnosis,
  type UnseenIncident,
  unseenIncidents,
  renderRoots,
  renderSteps,
} from '../report/report-text.ts';
import type { TextStyle } from '../document/terminal.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { newerStoreAt } from '../store/stored-history.ts';
import { deadline } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { readDaemonStatus } from './daemon-client.ts';
import { examine, neededToExamine } from './examine.ts';
import { mailRoots } from '../report/seen.ts';
import { configOf, type Invocation, storePathOf } from './terminal.ts';

export const UNHEARD: LogPart = {
  kind: 'unheard',
  reason: 'Not checked, because only the daemon receives the log',
  isTrouble: false,
};

interface CheckForm {
  readonly json: boolean;
  readonly steps: boolean;
  readonly roots: boolean;
  /** Checks that have not finished within this time are reported as unknown. */
  readonly timeout: Millis;
}

/** Time reserved for work before and after the checks, such as loading the configuration. */
const MARGIN: Millis = 500;

export async function check(form: CheckForm, terminal: Invocation): Promise<number> {
  const { json, timeout } = form;
  const config = await configOf(terminal, neededToExamine);
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  const progress = json ? null : terminal.progress;
  const limit = Math.max(MARGIN, timeout - MARGIN);
  const { diagnosis, observations, waitingFor } = await examine({ ...terminal, config, log: UNHEARD, progress, limit });
  const ended = waitingFor.length === 0 ? null : { after: timeout, waitingFor };
  const unseen = await unseenBy(diagnosis, config.store.path, terminal);
  const asides = { note: noteOf(config, ended), unseen: unseen ?? [] };
  terminal.output.write(
    json
      ? jsonOf(diagnosis, { unseen, ended, mail: observations.mail }, form)
      : textOf(diagnosis, { ...form, ...asides, mail: observations.mail, style: terminal.style }),
  );
  return exitCodeBeside(exitCodeOf(diagnosisToJson(diagnosis), { by: 'itself' }), asides.unseen);
}

interface Mail {
  readonly mail: readonly MailObservation[];
}

function jsonOf(
  diagnosis: Diagnosis,
  { unseen, ended, mail }: { readonly unseen: readonly UnseenIncident[] | null; readonly ended: Ended | null } & Mail,
  { steps, roots }: CheckForm,
): string {
  const whole = {
    ...diagnosisToJson(diagnosis),
    ...(steps ? { steps: activationOutlook(diagnosis).steps } : {}),
    ...(roots ? { roots: mailRoots(mail) } : {}),
    ...(unseen === null ? {} : { openIncidents: unseen }),
    ...(ended === null ? {} : { waitingFor: ended.waitingFor }),
  };
  return `${JSON.stringify(whole)}\n`;
}

function textOf(
  diagnosis: Diagnosis,
  { steps, roots, style, mail, ...asides }: CheckForm & DiagnosisAsides & Mail & { readonly style: TextStyle },
): string {
  return [
    renderDiagnosis(diagnosis, style, asides),
    ...(steps ? [renderSteps(diagnosis, style)] : []),
    ...(roots ? [renderRoots(mailRoots(mail), style)] : []),
  ].join('\n');
}

/** Returns null if no daemon is running or the daemon has no verdict yet. */
async function unseenBy(
  diagnosis: Diagnosis,
  storePath: string,
  terminal: Invocation,
): Promise<readonly UnseenIncident[] | null> {
  if (terminal.signal.aborted) return null;
  try {
    const daemon = await readDaemonStatus(storePath, terminal);
    if (daemon === null || typeof daemon.diagnosis === 'string') return null;
    return unseenIncidents(diagnosis, { ...daemon, diagnosis: daemon.diagnosis });
  } catch (error) {
    terminal.errors.write(`Cannot read the daemon's open incidents: ${messageOf(error)}\n`);
    return null;
  }
}

interface Ended {
  readonly after: Millis;
  readonly waitingFor: readonly string[];
}

const MOST_NAMED = 5;

function noteOf({ notify }: Config, ended: Ended | null): string | null {
  const stopped =
    ended === null
      ? null
      : `Stopped after ${spanText(ended.after)} while waiting for ${nameList(ended.waitingFor, MOST_NAMED)}. ` +
        'Use --timeout to wait longer.';
  return [stopped, noChannelNote(notify)].filter((note) => note !== null).join(' ') || null;
}

interface PluginLimits {
  readonly timeout: Millis;
  /** The maximum age of the daemon's latest round. */
  readonly longest: Millis;
}

/** Writes nothing to standard error, because Icinga treats standard error as part of the output. */
export async function checkNagios(limits: PluginLimits, terminal: Invocation): Promise<number> {
  const { text, exitCode } = await answer(limits, terminal);
  terminal.output.write(text);
  return exitCode;
}

async function answer({ timeout, longest }: PluginLimits, terminal: Invocation): Promise<PluginAnswer> {
  using limit = deadline(terminal.clock, timeout, terminal.signal);
  const quiet = { ...terminal, signal: limit.signal, progress: null, errors: { write: () => undefined } };
  try {
    const answered = (await askDaemon(longest, quiet)) ?? (await ownRound(quiet));
    if (!limit.expired()) return answered;
  } catch (error) {
    if (!limit.expired()) return pluginUnknown(messageOf(error).split('\n')[0] ?? '');
  }
  return pluginUnknown(`The checks did not finish within ${String(timeout / 1000)} s`);
}

async function askDaemon(longest: Millis, terminal: Invocation): Promise<PluginAnswer | null> {
  const status = await readDaemonStatus(await storePathOf(terminal), terminal);
  if (status === null) return null;
  const { diagnosis, incidents } = status;
  if (typeof diagnosis === 'string') return pluginUnknown(diagnosis);
  return pluginAnswer(diagnosis, { by: 'daemon', incidents, now: terminal.clock.now(), longest });
}

async function ownRound(terminal: Invocation): Promise<PluginAnswer> {
  const config = await configOf(terminal, neededToExamine);
  const { diagnosis } = await examine({ ...terminal, config, log: UNHEARD });
  return pluginAnswer(diagnosisToJson(diagnosis), { by: 'itself' });
}
