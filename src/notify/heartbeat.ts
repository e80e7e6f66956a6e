import type { SecretUrl } from '../config/schema/secret-url.ts';
import { deadline } from '../system/clock.ts';
import type { HeartbeatConfig } from '../config/notify.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { visibleText } from '../core/visible-text.ts';
import type { SecretReader } from '../system/secret.ts';
import { messageOf } from '../text/message-of.ts';
import { readSecretUrl } from './channels/secret-url.ts';

export interface HeartbeatDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  readonly readSecret: SecretReader;
  /** Whether rounds still run: a watcher that hangs must not look alive. */
  readonly isAlive: () => boolean;
}

/** Fetches a URL again and again, so that somebody notices when it is not fetched any more: the watcher's own death. */
export interface Heartbeat {
  start(): void;
  stop(): void;
}

const BEAT_DEADLINE: Millis = 10_000;

export function createHeartbeat({ url, every }: HeartbeatConfig, deps: HeartbeatDeps): Heartbeat {
  const { clock, logger, isAlive } = deps;
  const stopping = new AbortController();
  let cancel: (() => void) | null = null;
  let failed = false;

  function note(error: string | null): void {
    if (stopping.signal.aborted || (error !== null) === failed) return;
    failed = error !== null;
    // The URL is a secret of its kind: anyone who knows it can keep the alarm quiet.
    if (error === null) logger.info({}, 'The heartbeat arrives again');
    else logger.warn({ error }, 'Cannot send the heartbeat: the watcher may be reported dead');
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

/** null, or what went wrong. */
async function fetchOnce(
  url: SecretUrl,
  { clock, readSecret }: Pick<HeartbeatDeps, 'clock' | 'readSecret'>,
  signal: AbortSignal,
): Promise<string | null> {
  // Who has no heartbeat is spared its memory; the first beat comes at once.
  const { request } = await import('undici');
  using limit = deadline(clock, BEAT_DEADLINE, signal);
  try {
    const response = await request(await readSecretUrl(url, readSecret), {
      method: 'GET',
      signal: limit.signal,
      reset: true,
    });
    await response.body.dump({ limit: 16_384 });
    return response.statusCode < 400 ? null : `HTTP ${String(response.statusCode)}`;
  } catch (error) {
    return visibleText(error instanceof Error ? messageOf(error) || error.name : 'unknown error', 300);
  }
}
