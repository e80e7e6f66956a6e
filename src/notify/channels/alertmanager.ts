import type * as z from 'zod';
import type { ChannelDefinition, ChannelDeps, StateChannel, RecipientOutcome } from './channel.ts';
import { authorityFile, optionalSecret } from '../../config/schema/secret.ts';
import {
  type SectionFields,
  given,
  hasSecret,
  itemsOf,
  type Report,
  requireLogin,
  filledList,
  optional,
  section,
  text,
} from '../../config/schema/section.ts';
import { isReadableOnTheWay, webUrl } from '../../config/schema/endpoints.ts';
import type { Millis, EpochMs } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import { blocksOf, headOf, type RemedyStep } from '../../engine/model.ts';
import { isoTime } from '../../core/time-text.ts';
import { isOnlyUnseen, headline } from '../../checks/headline.ts';
import { type Incident, type IncidentState, isUnverified } from '../../engine/incident/incident.ts';
import { incidentLinks, type Links, type MessageContext } from '../../document/notification.ts';
import { authorizationOf, postJson, type PostOutcome, prepareToPost } from './http-post.ts';
import { messageOf } from '../../text/message-of.ts';

const alertmanagerEntry = section(
  {
    urls: filledList(webUrl('http://127.0.0.1:9093'), 'URL').describe(
      'Every member of the cluster. Alerts are sent to all of them.',
    ),
    user: optional(text).describe('User name, if Alertmanager needs a login. Needs https.'),
    password: optionalSecret('password', 'File with the password of `user`.'),
    token: optionalSecret('token', 'File with a token, sent as "Authorization: Bearer", instead of a login.'),
    caFile: authorityFile,
  },
  credentialsAreSafe,
);

export type AlertmanagerConfig = z.output<typeof alertmanagerEntry>;

const alertmanagerSection = optional(alertmanagerEntry).describe("Prometheus' Alertmanager.");

function credentialsAreSafe(fields: SectionFields, report: Report): void {
  requireLogin(fields, report);
  const hasToken = hasSecret('token', fields);
  if (given(fields, 'user') && hasToken) report('user', 'expected a login or a token, not both');
  if (!given(fields, 'user') && !hasToken) return;
  if (itemsOf(fields['urls']).some((url) => typeof url === 'string' && isReadableOnTheWay(url)))
    report('urls', 'expected only URLs that begin with "https://": the credentials would travel in clear');
}

/** Alertmanager ends the test alert by itself. */
const TEST_LIFE: Millis = 60_000;

/** All instances of one cluster. */
function createAlertmanagerChannel(
  config: AlertmanagerConfig,
  { clock, readSecret, ...context }: ChannelDeps,
): StateChannel {
  const client = createAlertmanagerClient(config, { clock, readSecret });

  function testAlert(): Alert {
    const now = clock.now();
    return {
      firing: true,
      body: {
        labels: { alertname: 'FtmWatchTest', site: context.site, cause: 'test', severity: 'info', subject: 'test' },
        annotations: { summary: 'This is a test of ftm-watch: nothing is broken because of it' },
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + TEST_LIFE).toISOString(),
      },
    };
  }

  return {
    kind: 'state',
    id: 'alertmanager',
    publish: (state, signal) => client.send(alertsOf(state, context, clock.now()), signal),
    test: (signal) => client.send([testAlert()], signal),
    waiting: () => client.waiting(),
    takenAt: () => client.takenAt(),
  };
}

/** One alert of Alertmanager's API v2 (`postableAlert`). The labels are its identity; annotations may change. */
interface PostableAlert {
  /** Where Alertmanager and Grafana lead for it: the incident. */
  readonly generatorURL?: string;
  readonly labels: Readonly<Record<'alertname' | 'site' | 'cause' | 'severity' | 'subject', string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /** Only of an alert that is over: a firing one lasts for Alertmanager's `resolve_timeout` after each message. */
  readonly endsAt?: string;
}

/** An alert as it is now. */
interface Alert {
  readonly firing: boolean;
  readonly body: PostableAlert;
}

/**
 * An alert ends for Alertmanager this much later than its incident. Until then another agent of the site that still
 * sees the fault has repeated it, and Prometheus has taken back its own alert about the same, which this one holds
 * down.
 */
const LINGER: Millis = 90_000;
/** An alert that is over is told for this long, since this process may have been restarted before it could tell it. */
const RESOLVED_FOR: Millis = 15 * 60_000;

/**
 * The alerts that are true now: open incidents, and for a while what ended; one for each set of labels. An incident
 * whose cause changed is another alert for Alertmanager, since the cause is a label; the former one ends with the
 * change. Of one that is not verified nothing is said: Alertmanager would tell of a fault that may be long over.
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

/** A cause that came back has an old ended alert with the same labels: it must not end the present one. */
function outlasts({ body }: Alert, other: Alert | undefined): boolean {
  if (other === undefined || body.endsAt === undefined) return true;
  return other.body.endsAt !== undefined && body.endsAt >= other.body.endsAt;
}

function currentAlert(incident: Incident, context: MessageContext, now: EpochMs): readonly Alert[] {
  const { cause, closedAt, causeSince, published } = incident;
  if (!published || cause.severity === 'info') return [];
  const links = incidentLinks(incident, context);
  const what = {
    labels: labelsOf(context.site, cause),
    annotations: { ...annotationsOf(incident), ...runbookAnnotation(links) },
    ...generatorOf(links),
  };
  if (closedAt === null) return [{ firing: true, body: { ...what, startsAt: isoTime(Math.min(causeSince, now)) } }];
  return now - closedAt > RESOLVED_FOR ? [] : [{ firing: false, body: { ...what, ...ended(causeSince, closedAt) } }];
}

/**
 * What the incident was before. While maintenance or a silence keeps the present cause back, the last one that
 * Alertmanager knows goes on in its place: the fault does.
 */
function formerAlerts(
  { id, formerCauses, published, closedAt }: Incident,
  context: MessageContext,
  now: EpochMs,
): readonly Alert[] {
  const known = formerCauses.filter((former) => former.published && former.severity !== 'info');
  const standing = published ? undefined : known.at(-1);
  return known.flatMap((former) => {
    const end = former === standing ? closedAt : former.replacedAt;
    if (end !== null && now - end > RESOLVED_FOR) return [];
    const links = incidentLinks({ id, cause: former }, context);
    const what = {
      labels: labelsOf(context.site, former),
      annotations: { summary: 'The cause is understood differently now', ...runbookAnnotation(links) },
      ...generatorOf(links),
    };
    const startsAt = isoTime(Math.min(former.since, now));
    return [
      end === null
        ? { firing: true, body: { ...what, startsAt } }
        : { firing: false, body: { ...what, ...ended(former.since, end) } },
    ];
  });
}

function generatorOf({ page }: Links): Pick<PostableAlert, 'generatorURL'> {
  return page === null ? {} : { generatorURL: page };
}

/** The name is a custom of Prometheus: Grafana and others make a link of it. */
function runbookAnnotation({ runbook }: Links): Readonly<Record<string, string>> {
  return runbook === null ? {} : { runbook_url: runbook };
}

/** Alertmanager refuses an alert that ends before it begins, which a clock that was set back could make. */
function ended(since: EpochMs, until: EpochMs): Pick<PostableAlert, 'startsAt' | 'endsAt'> {
  return { startsAt: isoTime(Math.min(since, until)), endsAt: isoTime(until + LINGER) };
}

/**
 * The name tells how bad it is, not why: an incident keeps it while its cause is understood better, so that a route
 * which groups by `alertname` and `site` goes on with the same group.
 */
function labelsOf(
  site: string,
  cause: { readonly id: string; readonly subject: string; readonly severity: Severity },
): PostableAlert['labels'] {
  return {
    alertname: alertnameOf(cause),
    site,
    cause: cause.id,
    severity: cause.severity,
    // An empty label is no label for Alertmanager.
    subject: cause.subject === '' ? '-' : cause.subject,
  };
}

function alertnameOf(cause: { readonly id: string; readonly severity: Severity }): string {
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

/** The blocks stand on lines of their own. */
function stepText(step: RemedyStep, index: number): string {
  const blocks = blocksOf(step).flatMap((block) => [headOf(block), block.text]);
  return [`${String(index + 1)}. ${step.text}`, ...blocks].join('\n');
}

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

/** It groups, silences and repeats by itself, so it is told what is true; an alert ends a little later there. */
export const alertmanager: ChannelDefinition<'alertmanager', 'alertmanager', AlertmanagerConfig | null> = {
  id: 'alertmanager',
  name: 'Alertmanager',
  kind: 'state',
  recipients: 'url',
  key: 'alertmanager',
  section: alertmanagerSection,
  isConfigured: (notify) => notify.alertmanager !== null,
  create: (notify, deps) =>
    notify.alertmanager === null ? [] : [createAlertmanagerChannel(notify.alertmanager, deps)],
};
