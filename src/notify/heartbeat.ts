import type { SecretUrl } from '../config/schema/secret.ts';
import { type EgressDeps, requestOnce } from '../network/http/egress.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { visibleText } from '../core/visible-text.ts';
import { messageOf } from '../text/message-of.ts';
import { readSecretUrl } from './channels/http-post.ts';

interface HeartbeatDeps extends EgressDeps {
  readonly logger: OperatorLog;
  /** If false, no heartbeat is sent, so that the monitoring service notices a blocked daemon. */
  readonly isAlive: () => boolean;
}

export interface Heartbeat {
  start(): void;
  stop(): void;
}

const BEAT_DEADLINE: Millis = 10_000;

export function createHeartbeat(
  { url, every }: NonNullable<Config['notify']['heartbeat']>,
  deps: HeartbeatDeps,
): Heartbeat {
  const { clock, logger, isAlive } = deps;
  const stopping = new AbortController();
  let cancel: (() => void) | null = null;
  let failed = false;

  function note(error: string | null): void {
    if (stopping.signal.aborted || (error !== null) === failed) return;
    failed = error !== null;
    // The URL is not logged, because anyone who has it could send heartbeats and thereby suppress the alarm.
    if (error === null) logger.info({ event: 'heartbeat-accepted' }, 'Heartbeats are accepted again');
    else
      logger.warn(
        { event: 'heartbeat-refused', error },
        'Cannot send the heartbeat. The heartbeat service may report that ftm-watch is down',
      );
  }

  function beat(): void {
    if (isAlive()) void fetchOnce(url, deps, stopping.signal).then(note);
    cancel = clock.after(every, beat);
  }

  return {
    start: beat,
    stop() {
      cancel?.();
      stopping.abort(new Error('The heartbeat has stopped'));
    },
  };
}

/** Returns null if the heartbeat was accepted, or a description of the error. */
async function fetchOnce(url: SecretUrl, deps: HeartbeatDeps, signal: AbortSignal): Promise<string | null> {
  try {
    const target = await readSecretUrl(url, deps.readSecret);
    const request = { method: 'GET' } as const;
    const { status } = await requestOnce({ url: target, caFile: null, limit: BEAT_DEADLINE, request }, deps, signal);
    return problemOf(status);
  } catch (error) {
    return visibleText(messageOf(error), 300);
  }
}

/**
 * Redirects count as failures, because they lead to a login page or another address, where the heartbeat is not
 * counted.
 */
function problemOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  const advice =
    status >= 300 && status < 400 ? '. Redirects are not followed. Configure the URL that the redirect leads to' : '';
  return `HTTP ${String(status)}${advice}`;
}
