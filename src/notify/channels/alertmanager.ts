import type { ChannelsConfig } from '../../config/schema/channels.ts';
import type { Channel, ChannelDeps, StateChannel, RecipientOutcome } from './channel.ts';
import type { Millis, EpochMs } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import { blocksOf, headOf, type RemedyStep } from '../../engine/model.ts';
import { isoTime } from '../../core/time-text.ts';
import { isOnlyUnseen, headline } from '../../checks/headline.ts';
import { isAgentCause } from '../../checks/registry.ts';
import { type Incident, type IncidentState, isUnverified } from '../../engine/incident/incident.ts';
import { incidentLinks, type MessageContext } from '../../document/notification.ts';
import { loadHttpClient } from '../../network/http/egress.ts';
import { authorizationOf, postJson, type PostOutcome } from './http-post.ts';
import { messageOf } from '../../text/message-of.ts';

type AlertmanagerConfig = NonNullable<ChannelsConfig['alertmanager']>;

/**
 * `postableAlert` in Alertmanager's API v2. The labels identify the alert, whereas annotations can change over time.
 */
interface PostableAlert {
  /** Alertmanager and Grafana show this URL as a link. */
  readonly generatorURL?: string;
  readonly labels: Readonly<Record<'alertname' | 'site' | 'cause' | 'severity' | 'subject', string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /**
   * Set only for resolved alerts. Alertmanager keeps a firing alert active for `resolve_timeout` after each message.
   */
  readonly endsAt?: string;
}

interface Alert {
  readonly firing: boolean;
  readonly body: PostableAlert;
}

/**
 * The delay after which the alert for an ended incident is resolved. Meanwhile, other agents at the site that still see
 * the fault send the alert again, and Prometheus resolves its own alert, which this alert inhibits.
 */
const LINGER: Millis = 90_000;
/** A resolved alert is sent for this long, in case this process was down when the incident ended. */
const RESOLVED_FOR: Millis = 15 * 60_000;

/**
 * Returns one alert for each set of labels. The cause is a label, so an incident whose cause changes gets a new alert,
 * and its previous alert ends. Incidents that have not been verified since a restart are left out, because the fault
 * may have ended long ago.
 */
export function alertsOf(state: IncidentState, context: MessageContext, now: EpochMs): readonly Alert[] {
  const alerts = new Map<string, Alert>();
  for (const incident of state.incidents.filter((one) => !isUnverified(one))) {
    for (const alert of [...formerAlerts(incident, context, now), ...currentAlert(incident, context, now)]) {
      const labels = JSON.stringify(alert.body.labels);
      if (outlasts(alert, alerts.get(labels))) alerts.set(labels, alert);
    }
  }
  return [...alerts.values()];
}

/** An ended alert must not end a current alert with the same labels. */
function outlasts({ body }: Alert, other: Alert | undefined): boolean {
  if (other === undefined || body.endsAt === undefined) return true;
  return other.body.endsAt !== undefined && body.endsAt >= other.body.endsAt;
}

function currentAlert(incident: Incident, context: MessageContext, now: EpochMs): readonly Alert[] {
  const { id, cause, causeSince: since, closedAt: end, published } = incident;
  if (!published || cause.severity === 'info') return [];
  return alertAbout({ id, cause, since, end }, annotationsOf(incident), context, now);
}

/**
 * Returns alerts for an incident's previous causes. While maintenance or a silence holds back the current cause, the
 * alert for the last published cause stays active, because the fault continues.
 */
function formerAlerts(
  { id, formerCauses, published, closedAt }: Incident,
  context: MessageContext,
  now: EpochMs,
): readonly Alert[] {
  const known = formerCauses.filter((former) => former.published && former.severity !== 'info');
  const standing = published ? undefined : known.at(-1);
  return known.flatMap((cause) => {
    const end = cause === standing ? closedAt : cause.replacedAt;
    const annotations = {
      headline: headline({ ...cause, product: null }),
      summary: 'Another cause was found for this fault',
    };
    return alertAbout({ id, cause, since: cause.since, end }, annotations, context, now);
  });
}

interface AlertedCause {
  /** The ID of the incident. */
  readonly id: string;
  readonly cause: { readonly id: string; readonly subject: string; readonly severity: Severity };
  readonly since: EpochMs;
  readonly end: EpochMs | null;
}

/** Empty if the alert ended long ago. */
function alertAbout(
  { id, cause, since, end }: AlertedCause,
  annotations: PostableAlert['annotations'],
  context: MessageContext,
  now: EpochMs,
): readonly Alert[] {
  if (end !== null && now - end > RESOLVED_FOR) return [];
  const { page, runbook } = incidentLinks({ id, cause }, context);
  const body = {
    labels: labelsOf(context.site, cause),
    // The annotation's name is a Prometheus convention. Grafana and other tools turn the value into a link.
    annotations: { ...annotations, ...(runbook === null ? {} : { runbook_url: runbook }) },
    ...(page === null ? {} : { generatorURL: page }),
    // The clock may have been set back, and Alertmanager rejects alerts that end before they start.
    startsAt: isoTime(Math.min(since, end ?? now)),
    ...(end === null ? {} : { endsAt: isoTime(end + LINGER) }),
  };
  return [{ firing: end === null, body }];
}

/**
 * `alertname` depends on the severity, so that a route that groups by `alertname` and `site` keeps its group when the
 * cause is refined.
 */
function labelsOf(site: string, cause: AlertedCause['cause']): PostableAlert['labels'] {
  return {
    alertname: alertnameOf(cause),
    site,
    cause: cause.id,
    severity: cause.severity,
    // An empty label counts as missing.
    subject: cause.subject === '' ? '-' : cause.subject,
  };
}

function alertnameOf(cause: AlertedCause['cause']): string {
  if (isAgentCause(cause.id)) return 'FtmAgentTrouble';
  if (isOnlyUnseen(cause)) return 'FtmWatcherBlind';
  return cause.severity === 'critical' ? 'FtmActivationBroken' : 'FtmActivationAtRisk';
}

function annotationsOf({ id, cause, causeSince }: Incident): Readonly<Record<string, string>> {
  return {
    headline: headline(cause),
    summary: cause.summary,
    description: cause.impact,
    evidence: cause.evidence.join('\n'),
    remedy: cause.remedySteps.map(stepText).join('\n'),
    consequences: cause.consequences.join(', '),
    confidence: cause.confidence,
    incident: id,
    since: isoTime(causeSince),
    ...(cause.product === null ? {} : { product: cause.product }),
  };
}

function stepText(step: RemedyStep, index: number): string {
  const blocks = blocksOf(step).flatMap((block) => [headOf(block), block.text]);
  return [`${String(index + 1)}. ${step.text}`, ...blocks].join('\n');
}

/**
 * Firing alerts are repeated at this interval. Prometheus repeats its alerts every minute, and Alertmanager keeps them
 * active for several intervals.
 */
const RESEND_AFTER: Millis = 55_000;
const RETRY_AFTER: Millis = 10_000;
/** An alert takes up at most a few kilobytes. */
const MAX_ALERTS = 100;
/** Limits memory use if an instance is down for days. */
const MAX_OWED = 1_000;

/**
 * Sends every alert to every instance, because the members of a cluster share only the notifications that they have
 * sent. Firing alerts are sent after every change and once a minute. Resolved alerts are sent until the instance has
 * accepted them.
 */
function createAlertmanagerChannel(
  config: AlertmanagerConfig,
  { clock, readSecret, ...context }: ChannelDeps,
): StateChannel {
  // No proxy is used. Like Prometheus, ftm-watch expects Alertmanager to be in the local network.
  const direct = { clock, readSecret, proxy: null, env: {} };
  const instances = config.urls.map((url) => new Instance(`${url.replace(/\/+$/u, '')}/api/v2/alerts`));
  if (instances.length > 0) void loadHttpClient();
  let takenAt: EpochMs | null = null;

  async function send(alerts: readonly Alert[], signal: AbortSignal): Promise<readonly RecipientOutcome[]> {
    const at = clock.now();
    const results = instances.map(async (instance): Promise<readonly RecipientOutcome[]> => {
      const message = instance.due(alerts, clock.elapsed());
      if (message.length === 0) return [];
      const outcome = await post(instance.url, message, signal);
      instance.noteOutcome(message, outcome.kind === 'sent', clock.elapsed());
      if (outcome.kind === 'sent') takenAt = at;
      return [{ recipient: instance.url, ...outcome }];
    });
    return (await Promise.all(results)).flat();
  }

  async function post(url: string, alerts: readonly Alert[], signal: AbortSignal): Promise<PostOutcome> {
    const bodies = alerts.map(({ body }) => body);
    let outcome: PostOutcome = { kind: 'sent', detail: '' };
    try {
      const authorization = await authorizationOf(config, readSecret);
      for (let index = 0; index < bodies.length && outcome.kind === 'sent'; index += MAX_ALERTS) {
        const body = bodies.slice(index, index + MAX_ALERTS);
        outcome = await postJson({ url, body, ...authorization, caFile: config.caFile }, direct, signal);
      }
    } catch (error) {
      return { kind: 'deferred', detail: messageOf(error) };
    }
    return outcome;
  }

  return {
    kind: 'state',
    id: 'alertmanager',
    publish: (state, signal) => send(alertsOf(state, context, clock.now()), signal),
    test: (signal) => send([testAlert(context.site, clock.now())], signal),
    waiting: () => instances.filter((instance) => instance.isWaiting()).length,
    takenAt: () => takenAt,
  };
}

const TEST_LIFE: Millis = 60_000;

function testAlert(site: string, now: EpochMs): Alert {
  return {
    firing: true,
    body: {
      labels: { alertname: 'FtmWatchTest', site, cause: 'test', severity: 'info', subject: 'test' },
      annotations: { summary: 'This is a test alert from ftm-watch. Nothing is broken' },
      startsAt: isoTime(now),
      endsAt: isoTime(now + TEST_LIFE),
    },
  };
}

class Instance {
  readonly url: string;
  /** The firing alerts in the last message that the instance accepted. */
  #present = '';
  /**
   * Resolved alerts that the instance has not accepted yet, by labels. Once accepted, such an alert is not sent again,
   * because it would end the same alert from another agent that still sees the fault.
   */
  readonly #owed = new Map<string, Alert>();
  /** Resolved alerts that the instance has accepted, kept until their incidents are removed from the state. */
  #told: ReadonlySet<string> = new Set();
  #failed = false;
  #nextAt: Millis = 0;

  constructor(url: string) {
    this.url = url;
  }

  due(alerts: readonly Alert[], now: Millis): readonly Alert[] {
    this.#take(alerts);
    const firing = alerts.filter((alert) => alert.firing);
    const message = [...firing, ...this.#owed.values()];
    if (message.length === 0) this.#failed = false;
    const isNews = this.#owed.size > 0 || fingerprint(firing) !== this.#present;
    return now >= this.#nextAt || (isNews && !this.#failed) ? message : [];
  }

  noteOutcome(message: readonly Alert[], isAccepted: boolean, now: Millis): void {
    this.#failed = !isAccepted;
    this.#nextAt = now + (isAccepted ? RESEND_AFTER : RETRY_AFTER);
    if (!isAccepted) return;
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

/** If this changes, the alerts are sent immediately. */
function fingerprint(firing: readonly Alert[]): string {
  return JSON.stringify(firing.map(({ body }) => [body.labels, body.annotations['summary']]));
}

function endOf({ body }: Alert): string {
  return JSON.stringify([body.labels, body.endsAt]);
}

/** Sends only the current state, because Alertmanager itself groups, silences and repeats alerts. */
export function createAlertmanager(
  { alertmanager }: Pick<ChannelsConfig, 'alertmanager'>,
  deps: ChannelDeps,
): readonly Channel[] {
  return alertmanager === null ? [] : [createAlertmanagerChannel(alertmanager, deps)];
}
