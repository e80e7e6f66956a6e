import { activationOutlook } from '../checks/activation-steps.ts';
import type { Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { CHECK_EXIT, exitCodeOf } from '../report/nagios-line.ts';
import { renderDiagnosis } from '../report/report-text.ts';
import { renderSteps } from '../report/steps-text.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { newerStoreAt } from '../store/stored-history.ts';
import { deadline } from '../system/clock.ts';
import { examine } from './examine.ts';
import { loadOrExplain, type Invocation } from './terminal.ts';

/** Of a round that listens to nothing. */
export const UNHEARD: LogPart = {
  kind: 'unheard',
  reason: 'Not looked at: only the daemon listens to the log',
  isTrouble: false,
};

export interface CheckForm {
  /** One JSON object instead of text. */
  readonly json: boolean;
  /** With the steps of an activation. */
  readonly steps: boolean;
  /** What is not seen by then is unknown; null: for as long as it takes. */
  readonly timeout: Millis | null;
}

/** One round of everything. Returns the exit code. */
export async function check({ json, steps, timeout }: CheckForm, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal);
  if (config === null) return CHECK_EXIT.unknown;
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  const progress = json ? null : terminal.progress;
  using limit = timeout === null ? null : deadline(terminal.clock, timeout, terminal.signal);
  const signal = limit?.signal ?? terminal.signal;
  const { diagnosis } = await examine({ ...terminal, signal, config, log: UNHEARD, progress });
  terminal.output.write(
    json
      ? `${JSON.stringify(steps ? withSteps(diagnosis) : diagnosisToJson(diagnosis))}\n`
      : `${renderDiagnosis(diagnosis, terminal.style, noChannelNote(config.notify))}${
          steps ? `\n${renderSteps(diagnosis, terminal.style)}` : ''
        }`,
  );
  return exitCodeOf(diagnosisToJson(diagnosis), { by: 'itself' });
}

function withSteps(diagnosis: Diagnosis): object {
  return { ...diagnosisToJson(diagnosis), steps: activationOutlook(diagnosis).steps };
}
