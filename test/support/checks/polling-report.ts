import type { LogEvent } from '../../../src/core/polling/log-event.ts';
import { pollingReport, type PollingReport } from '../../../src/core/polling/report.ts';
import { type Signature, compileSignatures } from '../../../src/core/polling/signature.ts';
import { type PollingState, emptyPolling, recordEvents } from '../../../src/core/polling/state.ts';

type FtmEvent = Extract<LogEvent, { readonly kind: 'ftm' }>;

export const MINUTE = 60_000;
export const WINDOW: number = 15 * MINUTE;
export const T0: number = Date.UTC(2026, 10, 24, 12);

const signature = (id: string, severity: Signature['severity']): Signature => ({
  kind: 'message',
  id,
  texts: [`${id} happened`],
  cause: 'polling-failing',
  severity,
  summary: id,
  remedy: ['x'],
  source: 'x',
});
const signatures = compileSignatures([signature('alpha', 'warning'), signature('beta', 'critical')]);

/** Returns `count` simultaneous errors of FortiAuthenticator. */
export function ftm(id: string, at: number, count = 1, appliance: string | null = 'fac-1'): FtmEvent {
  return {
    kind: 'ftm',
    appliance,
    signature: id,
    at,
    count,
    line: `line of ${String(at)}`,
    reliable: false,
  };
}

/** Returns the state after all events were recorded. */
export function after(events: readonly LogEvent[]): PollingState {
  return recordEvents(emptyPolling(WINDOW), events);
}

/** Returns the report for this time. */
export function report(
  state: PollingState,
  now: number,
  changes: { window?: number; appliances?: readonly string[]; listeningSince?: number | null } = {},
): PollingReport {
  return pollingReport(state, {
    now,
    window: WINDOW,
    silentAfter: 60 * MINUTE,
    appliances: ['fac-1', 'fac-2'],
    signatures,
    listeningSince: T0,
    ...changes,
  });
}
