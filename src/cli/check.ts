import { activationOutlook } from '../checks/activation-steps.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { spanText } from '../core/duration.ts';
import { nameList } from '../core/name-list.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { CHECK_EXIT, exitCodeOf } from '../report/nagios-line.ts';
import { renderDiagnosis } from '../report/report-text.ts';
import { renderSteps } from '../report/steps-text.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { newerStoreAt } from '../store/stored-history.ts';
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
  /** What is not seen by then is unknown. */
  readonly timeout: Millis;
}

/** For what comes before and after the looks. */
const MARGIN: Millis = 500;

/** One round of everything. Returns the exit code. */
export async function check({ json, steps, timeout }: CheckForm, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal);
  if (config === null) return CHECK_EXIT.unknown;
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  const progress = json ? null : terminal.progress;
  const limit = Math.max(MARGIN, timeout - MARGIN);
  const { diagnosis, waitingFor } = await examine({ ...terminal, config, log: UNHEARD, progress, limit });
  const ended = waitingFor.length === 0 ? null : { after: timeout, waitingFor };
  terminal.output.write(
    json
      ? `${JSON.stringify({
          ...(steps ? withSteps(diagnosis) : diagnosisToJson(diagnosis)),
          ...(ended === null ? {} : { waitingFor: ended.waitingFor }),
        })}\n`
      : `${renderDiagnosis(diagnosis, terminal.style, noteOf(config, ended))}${
          steps ? `\n${renderSteps(diagnosis, terminal.style)}` : ''
        }`,
  );
  return exitCodeOf(diagnosisToJson(diagnosis), { by: 'itself' });
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

function withSteps(diagnosis: Diagnosis): object {
  return { ...diagnosisToJson(diagnosis), steps: activationOutlook(diagnosis).steps };
}
