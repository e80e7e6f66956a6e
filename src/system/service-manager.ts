import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../text/message-of.ts';
import type { OperatorLog } from './operator-log.ts';

const run = promisify(execFile);

/** sd_notify(3) */
type ServiceState = 'READY=1' | 'STOPPING=1';

/** In milliseconds. `systemd-notify` does not return until systemd has received the state. */
const LIMIT = 5_000;

/**
 * Uses the `systemd-notify` command, because Node does not support Unix datagram sockets. The unit must contain
 * `NotifyAccess=all`. Never rejects.
 */
export async function notifyServiceManager(
  state: ServiceState,
  { NOTIFY_SOCKET = '', PATH = '' }: NodeJS.ProcessEnv,
  logger: OperatorLog,
): Promise<void> {
  if (NOTIFY_SOCKET === '') return;
  try {
    await run('systemd-notify', [state], { env: { NOTIFY_SOCKET, PATH }, timeout: LIMIT });
  } catch (error) {
    const effect = state === 'READY=1' ? ', so a unit with Type=notify does not start' : '';
    logger.warn(
      { event: 'service-manager-unreachable', error: messageOf(error) },
      `Cannot send ${state} to the service manager with "systemd-notify"${effect}`,
    );
  }
}
