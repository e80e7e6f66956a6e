import type { Severity } from '../../../core/severity.ts';
import type { EpochMs, Millis } from '../../../core/clock.ts';
import { blocksOf, headOf, type RemedyStep } from '../../../engine/remedy.ts';
import { isoTime } from '../../../core/instant-text.ts';
import { isOnlyUnseen } from '../../../checks/only-unseen.ts';
import { type Incident, type IncidentState, isUnverified } from '../../../engine/incident/incident.ts';
import { incidentLinks, type Links } from '../../message/links.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { headline } from '../../../checks/headline.ts';

/** One alert of Alertmanager's API v2 (`postableAlert`). The labels are its identity; annotations may change. */
export interface PostableAlert {
  /** Where Alertmanager and Grafana lead for it: the incident. */
  readonly generatorURL?: string;
  readonly labels: Readonly<Record<'alertname' | 'site' | 'cause' | 'severity' | 'subject', string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /** Only of an alert that is over: a firing one lasts for Alertmanager's `resolve_timeout` after each message. */
  readonly endsAt?: string;
}

/** An alert as it is now. */
export interface Alert {
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
