import type { CauseId, Severity } from '../core/cause.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Incident, IncidentState } from '../core/incident/incident.ts';
import { headline } from './headline.ts';

/** One alert of Alertmanager's API v2 (`postableAlert`). The labels are its identity; annotations may change. */
export interface PostableAlert {
  readonly labels: Readonly<Record<'alertname' | 'site' | 'cause' | 'severity' | 'subject', string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** An alert as it is now. */
export interface Alert {
  readonly firing: boolean;
  readonly body: PostableAlert;
}

/** Alertmanager takes an alert as over when it was not sent again for this long: two lost messages do not end it. */
const FIRING_FOR: Millis = 4 * 60_000;
/** An alert that is over is told for this long, since a receiver may have been restarted meanwhile. */
const RESOLVED_FOR: Millis = 15 * 60_000;

/**
 * The alerts that are true now: open incidents, and for a while what ended. An incident whose cause changed is another
 * alert for Alertmanager, since the cause is a label; the former one ends with the change.
 */
export function alertsOf(state: IncidentState, site: string, now: EpochMs): readonly Alert[] {
  const alerts = state.incidents
    .filter(({ published, cause }) => published && cause.severity !== 'info')
    .flatMap((incident) => [...formerAlerts(incident, site, now), ...currentAlert(incident, site, now)]);
  const present = new Set(alerts.filter(({ firing }) => firing).map(({ body }) => JSON.stringify(body.labels)));
  // A cause that came back has an old ended alert with the same labels: it must not end the present one.
  return alerts.filter(({ firing, body }) => firing || !present.has(JSON.stringify(body.labels)));
}

function currentAlert(incident: Incident, site: string, now: EpochMs): readonly Alert[] {
  const { cause, closedAt, since } = incident;
  if (closedAt !== null && now - closedAt > RESOLVED_FOR) return [];
  return [
    {
      firing: closedAt === null,
      body: {
        labels: labelsOf(site, cause),
        annotations: annotationsOf(incident),
        startsAt: iso(since),
        endsAt: iso(closedAt === null ? now + FIRING_FOR : Math.min(closedAt, now)),
      },
    },
  ];
}

function formerAlerts({ formerCauses, since }: Incident, site: string, now: EpochMs): readonly Alert[] {
  return formerCauses
    .filter(({ until, severity }) => severity !== 'info' && now - until <= RESOLVED_FOR)
    .map((former) => ({
      firing: false,
      body: {
        labels: labelsOf(site, former),
        annotations: { summary: 'The cause is understood differently now' },
        startsAt: iso(Math.min(since, former.until)),
        endsAt: iso(Math.min(former.until, now)),
      },
    }));
}

/**
 * The name tells how bad it is, not why: an incident keeps it while its cause is understood better, so that a route which
 * groups by `alertname` and `site` goes on with the same group.
 */
function labelsOf(
  site: string,
  cause: { readonly id: CauseId; readonly subject: string; readonly severity: Severity },
): PostableAlert['labels'] {
  return {
    alertname: cause.severity === 'critical' ? 'FtmActivationBroken' : 'FtmActivationAtRisk',
    site,
    cause: cause.id,
    severity: cause.severity,
    // An empty label is no label for Alertmanager.
    subject: cause.subject === '' ? '-' : cause.subject,
  };
}

function annotationsOf({ id, cause, since }: Incident): Readonly<Record<string, string>> {
  return {
    headline: headline(cause),
    summary: cause.summary,
    description: cause.impact,
    evidence: cause.evidence.join('\n'),
    remedy: cause.remedy.map((step, index) => `${String(index + 1)}. ${step}`).join('\n'),
    consequences: cause.consequences.join(', '),
    confidence: cause.confidence,
    incident: id,
    since: iso(since),
    ...(cause.product === null ? {} : { product: cause.product }),
  };
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
