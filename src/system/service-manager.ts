import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../text/message-of.ts';
import type { OperatorLog } from './operator-log.ts';

const run = promisify(execFile);

/** Lines that are sent with sd_notify(3). */
type ServiceState = 'READY=1' | 'STOPPING=1';

/** Time limit in milliseconds. The command returns as soon as systemd has read the line. */
const LIMIT = 5_000;

/**
 * Reports the service state to systemd. Node does not support Unix datagram sockets, so `systemd-notify` sends the
 * line, which requires `NotifyAccess=all` in the unit. Resolves when the line has been sent, or immediately if no
 * service manager is waiting. Never rejects.
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
      { error: messageOf(error) },
      `Cannot send ${state} to the service manager with "systemd-notify"${effect}`,
    );
  }
}
