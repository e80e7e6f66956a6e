import type { Config } from '../config/config.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import { pollingReport, type PollingReport } from '../core/polling/report.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { emptyPolling, recordEvent, resumePolling, type PollingState } from '../core/polling/state.ts';

/** What FortiAuthenticator's log has said, as far back as the window reaches. */
export interface PollingLog {
  record(event: LogEvent): void;
  report(): PollingReport;
  /** To continue with after a restart. */
  state(): PollingState;
}

export function createPollingLog(config: Config, signatures: SignatureSet, clock: Clock, stored: PollingState | null): PollingLog {
  const { window, silentAfter } = config.logs;
  const listeningSince: EpochMs | null = listens(config) ? clock.now() : null;
  let state = stored === null ? emptyPolling(window) : resumePolling(stored, window);
  return {
    record: (event) => {
      state = recordEvent(state, event);
    },
    report: () =>
      pollingReport(state, {
        now: clock.now(),
        window,
        silentAfter,
        appliances: config.appliances.map(({ name }) => name),
        signatures,
        listeningSince,
      }),
    state: () => state,
  };
}

/** Whether any log is listened to. */
export function listens({ logs }: Config): boolean {
  const { udp, tcp, tls } = logs.syslog;
  return [udp, tcp, tls].some((listener) => listener !== null) || logs.files.length > 0;
}
