import type { PollingReport } from '../core/polling/report.ts';
import type { JsonFile } from '../system/json-file.ts';
import type { Listening, ListeningSource } from '../connectors/source.ts';
import { intakeConfig, type IntakeSettings, createLogIntake, type LogIntake, type LogIntakeDeps } from './intake.ts';
import { logs, type LogsConfig } from '../config/schema/logs.ts';
import { type Positions, readPositions } from './tail.ts';
import { createPollingLog } from './polling-log.ts';

export interface LogFactsHeard {
  /** What the log has said, as far back as the window reaches. */
  readonly report: PollingReport;
  /** Unknown senders whose lines were refused. */
  readonly strangers: readonly string[];
}

interface LogDeps extends Omit<LogIntakeDeps, 'limits'> {
  /** Where it is kept what the log has said, and up to where followed files were read. */
  readonly pollingFile: JsonFile;
  /** Where 0.1.0 kept the positions in followed files. */
  readonly formerPositions: string;
}

export type LogListening = Listening<LogFactsHeard> & Pick<LogIntake, 'counters' | 'addresses'>;

/** FortiAuthenticator's log, and the firewall's: over the network and from files. */
export const log: ListeningSource<'log', { logs: LogsConfig }, LogFactsHeard, LogDeps, IntakeSettings, LogListening> = {
  id: 'log',
  runs: 'always',
  sections: { logs: logs.prefault({}).describe("FortiAuthenticator's log.") },
  listen: (settings, { pollingFile, formerPositions, onEvent, ...deps }) => {
    const stopping = new AbortController();
    const positions = (): Positions => intake.positions();
    const polling = createPollingLog(settings, { ...deps, file: pollingFile, positions });
    const intake = createLogIntake(intakeConfig(settings), {
      ...deps,
      onEvent: (event) => {
        polling.record(event);
        onEvent(event);
      },
    });
    return {
      start: async () => {
        const stored = await pollingFile.load();
        polling.resume(stored);
        await intake.start(stopping.signal, (await readPositions(stored, formerPositions, deps.logger)) ?? {});
        polling.keep();
      },
      // Lines are not sent again: they are taken until the last.
      stop: async () => {
        await intake.stop();
        stopping.abort();
        await polling.stop();
      },
      facts: () => ({ report: polling.report(), strangers: intake.strangers() }),
      counters: () => intake.counters(),
      addresses: () => intake.addresses(),
    };
  },
};
