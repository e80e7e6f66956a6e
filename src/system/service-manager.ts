import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../text/message-of.ts';
import type { OperatorLog } from './operator-log.ts';

const run = promisify(execFile);

/** The lines of sd_notify(3) that are sent. */
type ServiceState = 'READY=1' | 'STOPPING=1';

/** In milliseconds. The command returns as soon as systemd has read the line. */
const LIMIT = 5_000;

/**
 * Reports the service state to systemd. Node has no Unix datagram sockets, so `systemd-notify` sends the line, which
 * requires `NotifyAccess=all` in the unit. Resolves after it was sent, or immediately if no service manager is waiting.
 * Never rejects.
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
    const effect = state === 'READY=1' ? ': a unit with Type=notify does not start' : '';
    logger.warn(
      { error: messageOf(error) },
      `Cannot send ${state} to the service manager with "systemd-notify"${effect}`,
    );
  }
}
