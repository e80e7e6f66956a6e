import type { Millis } from '../core/clock.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { pluginAnswer, type PluginAnswer, pluginUnknown } from '../report/nagios-line.ts';
import { deadline } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { UNHEARD } from './check.ts';
import { readDaemonStatus } from './daemon-status.ts';
import { examine, neededToExamine } from './examine.ts';
import { type Invocation, loadOrExplain, storeOrExplain } from './terminal.ts';

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
