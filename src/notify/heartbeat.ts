import type { Dispatcher } from 'undici';
import type { SecretUrl } from '../config/schema/secret.ts';
import { deadline } from '../system/clock.ts';
import type { EgressDeps } from './channels/channel.ts';
import type { HeartbeatConfig } from '../config/config.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { visibleText } from '../core/visible-text.ts';
import { messageOf } from '../text/message-of.ts';
import { readSecretUrl } from './channels/http-post.ts';
import { openDispatcher, throughProxy } from './channels/http-post.ts';

export interface HeartbeatDeps extends EgressDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  /** Reports whether rounds still run, because a watcher that hangs must not appear alive. */
  readonly isAlive: () => boolean;
}

/** Fetches a URL regularly, so that the failure of ftm-watch itself is noticed when the requests stop. */
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
    // The URL is not logged. It is a secret, because anyone who knows it can suppress the alarm.
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

/** Returns null, or the error. */
async function fetchOnce(url: SecretUrl, deps: HeartbeatDeps, signal: AbortSignal): Promise<string | null> {
  const { clock, readSecret } = deps;
  // Loaded only when needed, to save memory. The first heartbeat is sent immediately.
  const { request } = await import('undici');
  using limit = deadline(clock, BEAT_DEADLINE, signal);
  let dispatcher: Dispatcher | null = null;
  let target = '';
  try {
    target = await readSecretUrl(url, readSecret);
    dispatcher = await openDispatcher(target, null, deps);
    const response = await request(target, { method: 'GET', signal: limit.signal, reset: true, dispatcher });
    await response.body.dump({ limit: 16_384 });
    return problemOf(response.statusCode);
  } catch (error) {
    const text = error instanceof Error ? messageOf(error) || error.name : 'unknown error';
    return visibleText(`${text}${throughProxy(target, deps)}`, 300);
  } finally {
    await dispatcher?.destroy();
  }
}

/** Treats redirects as failures. They lead to a login or another address, so the heartbeat service received nothing. */
function problemOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  const advice = status >= 300 && status < 400 ? ': redirects are not followed, set the URL that they lead to' : '';
  return `HTTP ${String(status)}${advice}`;
}
