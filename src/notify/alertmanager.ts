import type { Clock, Millis } from '../core/clock.ts';
import type { Alert } from './alerts.ts';
import { postJson, prepareToPost } from './http-post.ts';
import type { PostOutcome } from './http-post.ts';

export interface AlertmanagerResult extends PostOutcome {
  readonly url: string;
}

/** Every instance is told everything, since instances only gossip about what they sent (never through a load balancer). */
export interface AlertmanagerClient {
  /**
   * Sends the alerts where they are due: to each instance that has not heard them for a minute, or that must hear of a
   * change. An instance that failed is tried again soon. Resolves when all were tried; never rejects.
   */
  send(alerts: readonly Alert[], signal: AbortSignal): Promise<readonly AlertmanagerResult[]>;
}

/** Prometheus sends each minute too; the alerts live for four of these. */
const RESEND_AFTER: Millis = 55_000;
const RETRY_AFTER: Millis = 10_000;
/** One request stays small: an alert holds at most some kilobytes. */
const MAX_ALERTS = 100;

interface Instance {
  readonly url: string;
  /** The labels and states that it heard last. */
  heard: string;
  nextAt: Millis;
}

const FAILED = 'failed';

export function createAlertmanagerClient(urls: readonly string[], clock: Clock): AlertmanagerClient {
  const instances = urls.map((url): Instance => ({ url: `${url.replace(/\/+$/u, '')}/api/v2/alerts`, heard: '', nextAt: 0 }));
  if (instances.length > 0) void prepareToPost();
  return {
    async send(alerts, signal) {
      const present = fingerprint(alerts);
      const due = instances.filter((instance) => isDue(instance, present, clock.elapsed()));
      return Promise.all(
        due.map(async (instance) => {
          const outcome = await post(instance.url, alerts, clock, signal);
          const isSent = outcome.kind === 'sent';
          instance.heard = isSent ? present : FAILED;
          instance.nextAt = clock.elapsed() + (isSent ? RESEND_AFTER : RETRY_AFTER);
          return { url: instance.url, ...outcome };
        }),
      );
    },
  };
}

function isDue({ heard, nextAt }: Instance, present: string, now: Millis): boolean {
  if (present === '') return false;
  return now >= nextAt || (heard !== present && heard !== FAILED);
}

async function post(url: string, alerts: readonly Alert[], clock: Clock, signal: AbortSignal): Promise<PostOutcome> {
  const bodies = alerts.map(({ body }) => body);
  let outcome: PostOutcome = { kind: 'sent', detail: '' };
  for (let index = 0; index < bodies.length && outcome.kind === 'sent'; index += MAX_ALERTS) {
    outcome = await postJson({ url, body: bodies.slice(index, index + MAX_ALERTS), token: null, secrets: [], caFile: null }, clock, signal);
  }
  return outcome;
}

/** What Alertmanager must hear of at once: alerts that began, ended, or are told otherwise. Empty when there are none. */
function fingerprint(alerts: readonly Alert[]): string {
  if (alerts.length === 0) return '';
  return JSON.stringify(alerts.map(({ firing, body }) => [firing, body.labels, body.startsAt, body.annotations['summary']]));
}
