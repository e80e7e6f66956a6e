import type { Clock } from '../../core/clock.ts';
import type { LogEvent } from '../../core/polling/log-event.ts';
import type { PollingReport } from '../../core/polling/report.ts';
import type { SignatureSet } from '../../core/polling/signature.ts';
import type { JsonFile } from '../../system/json-file.ts';
import type { Listening, ListeningSource } from '../source.ts';
import { intakeConfig, type IntakeSettings } from './intake-config.ts';
import { createLogIntake, type LogIntake } from './intake.ts';
import type { IntakeLogger } from './logger.ts';
import { logs, type LogsConfig } from './section.ts';
import { createPollingLog } from './polling-log.ts';

interface Sections {
  readonly logs: LogsConfig;
}

export interface LogFactsHeard {
  /** What the log has said, as far back as the window reaches. */
  readonly report: PollingReport;
  /** Unknown senders whose lines were refused. */
  readonly strangers: readonly string[];
}

interface LogDeps {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly signatures: SignatureSet;
  /** Where it is kept what the log has said. */
  readonly pollingFile: JsonFile;
  /** Where the positions in followed files are kept. */
  readonly positionsFile: string;
  readonly onEvent: (event: LogEvent) => void;
}

export type LogListening = Listening<LogFactsHeard> & Pick<LogIntake, 'counters' | 'addresses'>;

/** FortiAuthenticator's log, and the firewall's: over the network and from files. */
export const log: ListeningSource<'log', Sections, LogFactsHeard, LogDeps, IntakeSettings, LogListening> = {
  id: 'log',
  runs: 'always',
  sections: { logs: logs.prefault({}).describe("FortiAuthenticator's log.") },
  listen: (settings, { clock, logger, signatures, pollingFile, positionsFile, onEvent }) => {
    const polling = createPollingLog(settings, { clock, signatures, file: pollingFile });
    const stopping = new AbortController();
    const intake = createLogIntake(intakeConfig(settings), {
      clock,
      logger,
      signatures,
      stateFile: positionsFile,
      onEvent: (event) => {
        polling.record(event);
        onEvent(event);
      },
    });
    return {
      start: async () => {
        await polling.resume();
        await intake.start(stopping.signal);
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
