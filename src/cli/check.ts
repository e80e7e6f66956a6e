import { checksOf } from '../checks/registry.ts';
import { isAgentCause } from '../checks/registry.ts';
import { activationOutlook } from '../checks/activation-steps.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { MailObservation } from '../core/observation.ts';
import { compareSeverity } from '../core/severity.ts';
import { spanText } from '../core/time-text.ts';
import { nameList } from '../core/visible-text.ts';
import type { Diagnosis, PreconditionStatus } from '../engine/model.ts';
import { diagnosisToJson } from '../checks/diagnosis-json.ts';
import { noChannelNote } from '../config/schema/channels.ts';
import { type CheckExit, exitCodeOf, type Looked, type SeenDiagnosis } from '../document/site-state.ts';
import { prtgAnswer, prtgError } from '../document/prtg.ts';
import { checkmkLines, checkmkUnknown } from '../report/checkmk-lines.ts';
import { pluginAnswer, pluginUnknown } from '../report/nagios-line.ts';
import {
  exitCodeBeside,
  type DiagnosisAsides,
  renderDiagnosis,
  type UnseenIncident,
  unseenIncidents,
  renderRoots,
  renderSteps,
} from '../report/report-text.ts';
import type { TextStyle } from '../document/terminal.ts';
import type { LogPart } from '../checks/conclude.ts';
import { newerStoreAt } from '../store/database.ts';
import { deadline } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { NoDaemon } from './daemon-client.ts';
import { readDaemonStatus, type DaemonStatus } from './daemon-status.ts';
import { examine, type Examination, neededToExamine } from './examine.ts';
import { mailRoots } from '../report/seen.ts';
import { configOf, type Invocation, needsNothing, storePathOf } from './terminal.ts';

export const UNHEARD: LogPart = {
  kind: 'unheard',
  reason: 'Not checked, because only the daemon receives the log',
  isTrouble: false,
};

interface CheckForm {
  readonly json: boolean;
  readonly steps: boolean;
  readonly all: boolean;
  readonly roots: boolean;
  readonly outside: boolean;
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
  const outside = form.outside ? 'always' : 'never';
  const examined = await examine({ ...terminal, config, log: UNHEARD, progress, limit, outside });
  const { observations, waitingFor } = examined;
  const ended = waitingFor.length === 0 ? null : { after: timeout, waitingFor };
  const daemon = await askRunning(config.store.path, terminal);
  const diagnosis = withAgent(examined.diagnosis, daemon);
  const unseen = unseenBy(diagnosis, daemon);
  const asides = { note: noteOf(config, examined, ended), unseen: unseen ?? [] };
  const state = exitCodeBeside(exitCodeOf(diagnosisToJson(diagnosis), { by: 'itself' }), asides.unseen);
  terminal.output.write(
    json
      ? jsonOf(diagnosis, { state, unseen, ended, mail: observations.mail }, form)
      : textOf(diagnosis, { ...form, ...asides, mail: observations.mail, style: terminal.style }),
  );
  return state;
}

interface Mail {
  readonly mail: readonly MailObservation[];
}

interface JsonAsides extends Mail {
  readonly state: CheckExit;
  readonly unseen: readonly UnseenIncident[] | null;
  readonly ended: Ended | null;
}

function jsonOf(diagnosis: Diagnosis, { state, unseen, ended, mail }: JsonAsides, { steps, roots }: CheckForm): string {
  const whole = {
    ...diagnosisToJson(diagnosis),
    state,
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
    ...(steps ? [renderSteps(diagnosis, style, asides)] : []),
    ...(roots ? [renderRoots(mailRoots(mail), style)] : []),
  ].join('\n');
}

type Daemon =
  | { readonly kind: 'answered'; readonly status: DaemonStatus }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Returns null if no daemon is running. */
async function askRunning(storePath: string, terminal: Invocation): Promise<Daemon | null> {
  if (terminal.signal.aborted) return null;
  try {
    const status = await readDaemonStatus(storePath, terminal);
    return status === null ? null : { kind: 'answered', status };
  } catch (error) {
    terminal.errors.write(`Cannot read the daemon's open incidents: ${messageOf(error)}\n`);
    return { kind: 'failed', error };
  }
}

/** Only the daemon knows its own state. A daemon that was killed is a problem, too. */
function withAgent(diagnosis: Diagnosis, daemon: Daemon | null): Diagnosis {
  if (daemon === null) return diagnosis;
  const causes = daemon.kind === 'answered' ? daemon.status.causes.filter(({ id }) => isAgentCause(id)) : [];
  return {
    ...diagnosis,
    preconditions: diagnosis.preconditions.map((own) =>
      checksOf('agent').includes(own.id) ? { ...own, ...agentState(own.id, daemon) } : own,
    ),
    causes: [...diagnosis.causes, ...causes].sort((a, b) => compareSeverity(a.severity, b.severity)),
  };
}

function agentState(id: string, daemon: Daemon): Pick<PreconditionStatus, 'state' | 'summary' | 'isLeftOut'> {
  const unknown = { state: 'unknown', isLeftOut: true } as const;
  if (daemon.kind === 'failed') {
    const summary = messageOf(daemon.error);
    return daemon.error instanceof NoDaemon ? { state: 'warning', summary } : { ...unknown, summary };
  }
  const { diagnosis } = daemon.status;
  if (typeof diagnosis === 'string') return { ...unknown, summary: diagnosis };
  const { state, summary } = diagnosis.preconditions.find((seen) => seen.id === id) ?? {};
  return state === undefined || summary === undefined
    ? { ...unknown, summary: 'The running daemon has a different version' }
    : { state, summary };
}

/** Returns null if no daemon is running or the daemon has no verdict yet. */
function unseenBy(diagnosis: Diagnosis, daemon: Daemon | null): readonly UnseenIncident[] | null {
  if (daemon?.kind !== 'answered' || typeof daemon.status.diagnosis === 'string') return null;
  return unseenIncidents(diagnosis, { ...daemon.status, diagnosis: daemon.status.diagnosis });
}

interface Ended {
  readonly after: Millis;
  readonly waitingFor: readonly string[];
}

const MOST_NAMED = 5;

function noteOf({ notify, outside }: Config, { wishes }: Examination, ended: Ended | null): string | null {
  const stopped =
    ended === null
      ? null
      : `Stopped after ${spanText(ended.after)} while waiting for ${nameList(ended.waitingFor, MOST_NAMED)}. ` +
        'Use --timeout to wait longer.';
  const settling =
    outside === null && wishes.length > 0
      ? 'Probes in other networks could show whether this site or Fortinet has the fault: see "outside" in the ' +
        'configuration.'
      : null;
  return [stopped, settling, noChannelNote(notify)].filter((note) => note !== null).join(' ') || null;
}

interface PluginLimits {
  readonly timeout: Millis;
  /** The maximum age of the daemon's latest round. */
  readonly longest: Millis;
}

/** Writes nothing to standard error, because Icinga treats standard error as part of the output. */
export async function checkNagios(limits: PluginLimits, terminal: Invocation): Promise<number> {
  const seen = await look(limits, terminal);
  const { text, exitCode } = typeof seen === 'string' ? pluginUnknown(seen) : pluginAnswer(seen.diagnosis, seen.looked);
  terminal.output.write(text);
  return exitCode;
}

/** The exit code is 0 whatever the state is, because PRTG reads the state from the output. */
export async function checkPrtg(limits: PluginLimits, terminal: Invocation): Promise<number> {
  const seen = await look(limits, terminal);
  const answer = typeof seen === 'string' ? prtgError(seen) : prtgAnswer(seen.diagnosis, seen.looked);
  // On Windows, PRTG reads the output of a script in the machine's code page.
  terminal.output.write(`${inAscii(JSON.stringify(answer))}\n`);
  return 0;
}

function inAscii(json: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replaceAll(/[^\0-~]/g, escaped);
}

/**
 * The exit code is always 0, because the agent discards the output of a cached local check that fails.
 * @param isPiggyback adds the lines about each unit for the unit's own host
 */
export async function checkCheckmk(limits: PluginLimits, isPiggyback: boolean, terminal: Invocation): Promise<number> {
  const units = isPiggyback ? await unitsOf(terminal) : [];
  const seen = typeof units === 'string' ? units : await look(limits, terminal);
  const hosts = typeof units === 'string' ? [] : units;
  terminal.output.write(
    typeof seen === 'string' ? checkmkUnknown(seen, hosts) : checkmkLines(seen.diagnosis, seen.looked, hosts),
  );
  return 0;
}

/** Returns the names of the configured units, or why they are unknown. */
async function unitsOf(terminal: Invocation): Promise<readonly string[] | string> {
  try {
    const { appliances } = await configOf({ ...terminal, errors: SILENT }, needsNothing);
    return appliances.map(({ name }) => name);
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? '';
}

const SILENT = { write: () => undefined };

interface Seen {
  readonly diagnosis: SeenDiagnosis;
  readonly looked: Looked;
}

/** Returns the results of the running daemon or of a new round. A string says why there are none. */
async function look({ timeout, longest }: PluginLimits, terminal: Invocation): Promise<Seen | string> {
  using limit = deadline(terminal.clock, timeout, terminal.signal);
  const quiet = { ...terminal, signal: limit.signal, progress: null, errors: SILENT };
  try {
    const seen = (await askDaemon(longest, quiet)) ?? (await ownRound(quiet));
    if (!limit.expired()) return seen;
  } catch (error) {
    if (!limit.expired()) return reasonOf(error);
  }
  return `The checks did not finish within ${String(timeout / 1000)} s`;
}

async function askDaemon(longest: Millis, terminal: Invocation): Promise<Seen | string | null> {
  const status = await readDaemonStatus(await storePathOf(terminal), terminal);
  if (status === null) return null;
  const { diagnosis, incidents } = status;
  if (typeof diagnosis === 'string') return diagnosis;
  return { diagnosis, looked: { by: 'daemon', incidents, now: terminal.clock.now(), longest } };
}

async function ownRound(terminal: Invocation): Promise<Seen> {
  const config = await configOf(terminal, neededToExamine);
  const { diagnosis } = await examine({ ...terminal, config, log: UNHEARD });
  return { diagnosis: diagnosisToJson(diagnosis), looked: { by: 'itself' } };
}
