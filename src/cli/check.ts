import { activationOutlook } from '../checks/activation-steps.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { renderDiagnosis } from '../report/report-text.ts';
import { renderSteps } from '../report/steps-text.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { newerStoreAt } from '../store/stored-history.ts';
import { examine } from './examine.ts';
import { loadOrExplain, type Invocation } from './terminal.ts';

const UNHEARD: LogPart = {
  kind: 'unheard',
  reason: 'Not looked at: only the daemon listens to the log',
  isTrouble: false,
};

/** Exit codes as a Nagios plugin gives them. */
const CHECK_EXIT = { ready: 0, warnings: 1, notReady: 2, unknown: 3 } as const;

export interface CheckForm {
  /** One JSON object instead of text. */
  readonly json: boolean;
  /** With the steps of an activation. */
  readonly steps: boolean;
}

/** One round of everything. Returns the exit code. */
export async function check({ json, steps }: CheckForm, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal);
  if (config === null) return CHECK_EXIT.unknown;
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  const progress = json ? null : terminal.progress;
  const { diagnosis } = await examine({ ...terminal, config, log: UNHEARD, progress });
  terminal.output.write(
    json
      ? `${JSON.stringify(steps ? withSteps(diagnosis) : diagnosisToJson(diagnosis))}\n`
      : `${renderDiagnosis(diagnosis, terminal.style, noChannelNote(config.notify))}${
          steps ? `\n${renderSteps(diagnosis, terminal.style)}` : ''
        }`,
  );
  return exitCode(diagnosis);
}

function withSteps(diagnosis: Diagnosis): object {
  return { ...diagnosisToJson(diagnosis), steps: activationOutlook(diagnosis).steps };
}

function exitCode(diagnosis: Diagnosis): number {
  switch (diagnosis.ready) {
    case 'ready':
      return warns(diagnosis) ? CHECK_EXIT.warnings : CHECK_EXIT.ready;
    case 'not-ready':
      return CHECK_EXIT.notReady;
    case 'unknown':
      return CHECK_EXIT.unknown;
  }
}

/**
 * A warning need not have a cause: that FortiAuthenticator uses another server than the one that is probed has none.
 */
function warns({ causes, preconditions }: Diagnosis): boolean {
  return causes.some(({ severity }) => severity !== 'info') || preconditions.some(({ state }) => state === 'warning');
}
