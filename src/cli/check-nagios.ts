import * as z from 'zod';

import type { Millis } from '../core/clock.ts';
import { SEVERITIES } from '../core/severity.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { PRECONDITION_STATES } from '../engine/precondition-state.ts';
import { type OpenIncident, pluginAnswer, type PluginAnswer, pluginUnknown } from '../report/nagios-line.ts';
import type { SeenDiagnosis } from '../report/nagios-line.ts';
import { deadline } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { UNHEARD } from './check.ts';
import { createDaemonClient, type DaemonAnswer, type DaemonClient, NoDaemon } from './daemon-client.ts';
import { examine } from './examine.ts';
import { type Invocation, loadOrExplain, storeOrExplain } from './terminal.ts';

export interface PluginLimits {
  /** For all of it. */
  readonly timeout: Millis;
  /** How old the daemon's last round may be. */
  readonly longest: Millis;
}

const statusShape = z.object({
  ready: z.enum(['ready', 'not-ready', 'unknown']),
  at: z.iso.datetime(),
  preconditions: z.array(z.object({ id: z.string(), state: z.enum(PRECONDITION_STATES), summary: z.string() })),
  causes: z.array(z.object({ severity: z.enum(SEVERITIES), summary: z.string() })),
});
const incidentsShape = z.object({
  incidents: z.array(
    z.object({
      status: z.enum(['open', 'closed']),
      severity: z.enum(SEVERITIES),
      summary: z.string(),
      since: z.iso.datetime(),
    }),
  ),
});
const problemShape = z.object({ error: z.string() });

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
  if (storePath === null) return null;
  try {
    await using daemon = await createDaemonClient(storePath, terminal);
    const diagnosis = await diagnosisOf(daemon);
    if (typeof diagnosis === 'string') return pluginUnknown(diagnosis);
    const incidents = await openIncidentsOf(daemon);
    return pluginAnswer(diagnosis, { by: 'daemon', incidents, now: terminal.clock.now(), longest });
  } catch (error) {
    if (error instanceof NoDaemon) return null;
    throw error;
  }
}

/** A text: why there is none. */
async function diagnosisOf(daemon: DaemonClient): Promise<SeenDiagnosis | string> {
  const answered = await daemon.ask('GET', '/api/v1/status');
  return answered.status === 503 ? read(problemShape, answered).error : read(statusShape, answered);
}

async function openIncidentsOf(daemon: DaemonClient): Promise<readonly OpenIncident[]> {
  const { incidents } = read(incidentsShape, await daemon.ask('GET', '/api/v1/incidents?state=open'));
  // A daemon of version 0.1.0 knows no parameter and answers with the closed ones too.
  return incidents.filter(({ status }) => status === 'open');
}

/** @throws {Error} when it is none of these answers */
function read<T>(shape: z.ZodType<T>, { status, text }: DaemonAnswer): T {
  const parsed = shape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(`The daemon answered HTTP ${String(status)} and no status: is it ftm-watch of this version?`);
}

/** Undefined for what is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Null: the configuration is not valid. */
async function ownRound(terminal: Invocation): Promise<PluginAnswer | null> {
  const config = await loadOrExplain(terminal);
  if (config === null) return null;
  const { diagnosis } = await examine({ ...terminal, config, log: UNHEARD });
  return pluginAnswer(diagnosisToJson(diagnosis), { by: 'itself' });
}
