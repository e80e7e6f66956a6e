import type { EpochMs, Millis } from '../../../core/clock.ts';
import type { Alert } from './alerts.ts';
import type { RecipientOutcome } from '../channel.ts';
import { authorizationOf } from '../authorization.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import { postJson, type PostOutcome, prepareToPost } from '../http-post.ts';
import { messageOf } from '../../../text/message-of.ts';
import type { AlertmanagerConfig } from './section.ts';

/**
 * Every instance is told everything, since instances only gossip about what they sent (never through a load balancer).
 */
export interface AlertmanagerClient {
  /**
   * Sends the alerts where they are due: firing ones to each instance that has not heard them for a minute, or that
   * must hear of a change; what is over to each instance until it has taken it once. An instance that failed is tried
   * again soon. Resolves when all were tried; never rejects.
   */
  send(alerts: readonly Alert[], signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Instances that did not take the last message, and that still have to hear something. */
  waiting(): number;
  /** When what an instance took last was true: all that was firing then. Null: none has taken anything yet. */
  takenAt(): EpochMs | null;
}

/** Prometheus sends each minute too; the alerts live for some of these. */
const RESEND_AFTER: Millis = 55_000;
const RETRY_AFTER: Millis = 10_000;
/** One request stays small: an alert holds at most some kilobytes. */
const MAX_ALERTS = 100;
/** What is over and could not be told: an instance that is down for days makes nobody's memory grow. */
const MAX_OWED = 1_000;

export function createAlertmanagerClient(
  config: AlertmanagerConfig,
  deps: Pick<ChannelDeps, 'clock' | 'readSecret'>,
): AlertmanagerClient {
  const { clock } = deps;
  // It is part of this network, as for Prometheus.
  const direct = { ...deps, proxy: null, env: {} };
  const instances = config.urls.map((url) => new Instance(`${url.replace(/\/+$/u, '')}/api/v2/alerts`));
  if (instances.length > 0) void prepareToPost();
  let takenAt: EpochMs | null = null;
  return {
    async send(alerts, signal) {
      const at = clock.now();
      const results = instances.map(async (instance): Promise<readonly RecipientOutcome[]> => {
        const message = instance.due(alerts, clock.elapsed());
        if (message.length === 0) return [];
        const outcome = await post(instance.url, message, signal);
        instance.heard(message, outcome.kind === 'sent', clock.elapsed());
        if (outcome.kind === 'sent') takenAt = at;
        return [{ recipient: instance.url, ...outcome }];
      });
      return (await Promise.all(results)).flat();
    },
    waiting: () => instances.filter((instance) => instance.isWaiting()).length,
    takenAt: () => takenAt,
  };

  async function post(url: string, alerts: readonly Alert[], signal: AbortSignal): Promise<PostOutcome> {
    const bodies = alerts.map(({ body }) => body);
    let outcome: PostOutcome = { kind: 'sent', detail: '' };
    try {
      const { header, secrets } = await authorizationOf(config, deps.readSecret);
      for (let index = 0; index < bodies.length && outcome.kind === 'sent'; index += MAX_ALERTS) {
        const body = bodies.slice(index, index + MAX_ALERTS);
        const request = { url, body, authorization: header, secrets, caFile: config.caFile };
        outcome = await postJson(request, direct, signal);
      }
    } catch (error) {
      return { kind: 'deferred', detail: messageOf(error) };
    }
    return outcome;
  }
}

/** What one Alertmanager knows. */
class Instance {
  readonly url: string;
  /** The firing alerts of the last message. */
  #present = '';
  /**
   * What is over and it has not taken yet, by labels. It is told once: repeating it ends, each time, the
   * same alert of another agent that still sees the fault.
   */
  readonly #owed = new Map<string, Alert>();
  /** What it knows to be over, as long as that is said. */
  #told: ReadonlySet<string> = new Set();
  #failed = false;
  #nextAt: Millis = 0;

  constructor(url: string) {
    this.url = url;
  }

  /** What it is to be sent now: nothing, or all that it must hear. */
  due(alerts: readonly Alert[], now: Millis): readonly Alert[] {
    this.#take(alerts);
    const firing = alerts.filter((alert) => alert.firing);
    const message = [...firing, ...this.#owed.values()];
    if (message.length === 0) this.#failed = false;
    const isNews = this.#owed.size > 0 || fingerprint(firing) !== this.#present;
    return now >= this.#nextAt || (isNews && !this.#failed) ? message : [];
  }

  heard(message: readonly Alert[], wasTaken: boolean, now: Millis): void {
    this.#failed = !wasTaken;
    this.#nextAt = now + (wasTaken ? RESEND_AFTER : RETRY_AFTER);
    if (!wasTaken) return;
    this.#present = fingerprint(message.filter(({ firing }) => firing));
    this.#told = new Set([...this.#told, ...message.map(endOf)]);
    this.#owed.clear();
  }

  isWaiting(): boolean {
    return this.#failed;
  }

  #take(alerts: readonly Alert[]): void {
    const over = alerts.filter(({ firing }) => !firing);
    const ends = new Set(over.map(endOf));
    this.#told = new Set([...this.#told].filter((end) => ends.has(end)));
    for (const { firing, body } of alerts) if (firing) this.#owed.delete(JSON.stringify(body.labels));
    for (const alert of over)
      if (!this.#told.has(endOf(alert))) this.#owed.set(JSON.stringify(alert.body.labels), alert);
    for (const labels of this.#owed.keys()) if (this.#owed.size > MAX_OWED) this.#owed.delete(labels);
  }
}

/** What Alertmanager must hear of at once: firing alerts that began, or are told otherwise. */
function fingerprint(firing: readonly Alert[]): string {
  return JSON.stringify(firing.map(({ body }) => [body.labels, body.annotations['summary']]));
}

/** Tells one end of an alert from another. */
function endOf({ body }: Alert): string {
  return JSON.stringify([body.labels, body.endsAt]);
}
