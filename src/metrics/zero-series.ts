import type { Config } from '../config/config.ts';
import { LOG_RESULTS, LOG_SOURCES } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { UNNAMED } from '../core/polling/state.ts';
import type { Metrics } from './definitions.ts';

const CHANNELS = ['email', 'webhook', 'alertmanager'];
const RESULTS = ['sent', 'failed', 'rejected'];

/** Known series exist at zero from the start: what appears only with the first error cannot be alerted on. */
export function createZeroSeries(metrics: Metrics, { appliances }: Config, { signatures }: SignatureSet): void {
  for (const appliance of [...appliances.map(({ name }) => name), UNNAMED]) {
    for (const { id, kind } of signatures) if (kind === 'message') metrics.pollingErrors.inc({ appliance, signature: id }, 0);
  }
  for (const source of LOG_SOURCES) for (const result of LOG_RESULTS) metrics.logLines.inc({ source, result }, 0);
  for (const channel of CHANNELS) {
    metrics.notificationsPending.set({ channel }, 0);
    for (const result of RESULTS) metrics.notifications.inc({ channel, result }, 0);
  }
}
