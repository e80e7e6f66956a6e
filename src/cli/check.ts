import type { Diagnosis } from '../engine/diagnosis.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { examine, type ExaminationOptions } from './examine.ts';
import { renderDiagnosis, type TextStyle } from '../report/report-text.ts';

export interface CheckOptions extends ExaminationOptions {
  readonly json: boolean;
  readonly output: { write(text: string): unknown };
  readonly style: TextStyle;
}

/** Exit codes as a Nagios plugin gives them. */
export const CHECK_EXIT = { ready: 0, warnings: 1, notReady: 2, unknown: 3 } as const;

/** One round of everything. Returns the exit code. */
export async function check(options: CheckOptions): Promise<number> {
  const { diagnosis } = await examine(options);
  const { json, output, style, config } = options;
  output.write(
    json
      ? `${JSON.stringify(diagnosisToJson(diagnosis))}\n`
      : renderDiagnosis(diagnosis, style, noChannelNote(config.notify)),
  );
  return exitCode(diagnosis);
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
