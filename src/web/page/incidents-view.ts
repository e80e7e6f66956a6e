import { headline } from '../../checks/headline.ts';
import type { EpochMs } from '../../core/clock.ts';
import { compareSeverity } from '../../core/severity.ts';
import { timesText } from '../../core/visible-text.ts';
import { breakable, type Markup, markup } from '../../document/html.ts';
import { SEVERITY_TONES, SEVERITY_WORDS } from '../../document/states.ts';
import {
  activeSilence,
  type Incident,
  incidentsOf,
  isUnverified,
  type LastNotified,
  lastedText,
  type OutboxEntry,
  type Silence,
} from '../../engine/incident/incident.ts';
import { capital } from '../../engine/words.ts';
import type { ChannelState } from '../../notify/channels/channel.ts';
import { deliveryGroupsOf, type Way } from '../../notify/channels/deliveries.ts';
import { byUrgency } from '../incident-json.ts';
import type { AlertHistory, WebSources } from '../sources.ts';
import { badge, distance, moment, more, type Reader, timeAndAge } from './page-document.ts';
import { HISTORY_MISSING } from './notifications-view.ts';

const MAX_OPEN = 20;
const MAX_CLOSED = 5;

/** What holds notifications back. */
export interface Quiet {
  /** Null outside maintenance. */
  readonly maintenanceUntil: EpochMs | null;
  readonly silences: readonly Silence[];
}

export function quietNow(sources: WebSources): Quiet {
  return { maintenanceUntil: sources.maintenance().until, silences: sources.silences() };
}

export interface IncidentContext {
  readonly outboxEntries: readonly OutboxEntry[];
  readonly quiet: Quiet;
  readonly states: readonly ChannelState[];
  readonly reader: Reader;
}

/** Open incidents that the last round did not see. Null if there are none. */
export function openIncidentsView(incidents: readonly Incident[], context: IncidentContext): Markup | null {
  const open = byUrgency(incidents.filter(({ status }) => status === 'open')).toSorted((a, b) =>
    compareSeverity(a.cause.severity, b.cause.severity),
  );
  if (open.length === 0) return null;
  return markup`<section id="incidents" class="card" aria-labelledby="incidents-title">
<h2 id="incidents-title">Open incidents <span class="count">${open.length}</span></h2>
<ul id="open-incidents" class="incidents">${open.slice(0, MAX_OPEN).map((incident) => openView(incident, context))}</ul>
${more(open.length - MAX_OPEN, 'incidents')}</section>`;
}

export function recentIncidentsView({ incidents, omitted, complete }: AlertHistory, reader: Reader): Markup {
  const closed = byUrgency(incidents.filter(({ status }) => status === 'closed'));
  const shown = closed.slice(0, MAX_CLOSED).map((incident) => closedView(incident, reader));
  return markup`<section id="closed-incidents" class="card" aria-labelledby="closed-title">
<h2 id="closed-title">Resolved within 7 days <span class="count">${closed.length + omitted}</span></h2>
${closed.length === 0 ? null : markup`<ul class="incidents">${shown}</ul>`}
${complete ? null : HISTORY_MISSING}<p><a href="incidents">All incidents</a></p></section>`;
}

function openView(incident: Incident, context: IncidentContext): Markup {
  const { id, cause, since } = incident;
  const { quiet, reader } = context;
  return markup`<li id="incident-${id}" class="${SEVERITY_TONES[cause.severity]}">
<p>${stateBadge(incident)} <code class="tag">${cause.id}</code>${tagsView(incident, quiet, reader)}</p>
<p><a href="incidents/${encodeURIComponent(id)}">${breakable(capital(headline(cause)))}</a></p>
<p class="quiet">Since ${timeAndAge(since, reader)}. ${notesOf([incident], context)}</p>
</li>`;
}

/** Whether the last round detected incidents with the same cause, and when they were last notified. */
export function notesOf(incidents: readonly Incident[], context: IncidentContext): Markup | null {
  const toldAt = ({ lastNotified }: Incident): EpochMs => lastNotified?.at ?? 0;
  const [latest, ...others] = incidents.toSorted((a, b) => toldAt(b) - toldAt(a));
  if (latest === undefined) return null;
  const told = incidents.filter(({ lastNotified }) => lastNotified !== null).length;
  const about =
    others.length === 0
      ? `${timesText(latest.thread.count)} about this incident`
      : `about ${told === incidents.length ? 'all' : `${String(told)} of`} ${String(incidents.length)}`;
  const sights = new Map(incidents.map((incident) => [incident.presence, sightText(incident, context.reader)]));
  return markup`${[...sights.values()]}${notifiedText(latest, about, context)}`;
}

export function tagsView(incident: Incident, quiet: Quiet, { now }: Reader): Markup {
  const { status, acknowledgement, cause } = incident;
  const isOpen = status === 'open';
  const isSilenced = activeSilence(quiet.silences, cause, now) !== undefined;
  return markup`${conditionTags(incident)}${tagsOf(
    isOpen && quiet.maintenanceUntil !== null ? 'in maintenance' : isOpen && isSilenced ? 'silenced' : null,
    isOpen && acknowledgement !== null ? 'acknowledged' : null,
  )}`;
}

export function conditionTags({ flapping, subjectKind }: Incident): Markup {
  return tagsOf(flapping ? 'flapping' : null, subjectKind === 'removed' ? 'no longer checked' : null);
}

function tagsOf(...tags: readonly (string | null)[]): Markup {
  return markup`${tags.map((tag) => (tag === null ? null : markup` <span class="tag">${tag}</span>`))}`;
}

export function stateBadge({ status, cause }: Incident): Markup {
  return status === 'closed'
    ? badge('good', 'Resolved')
    : badge(SEVERITY_TONES[cause.severity], SEVERITY_WORDS[cause.severity]);
}

function sightText(incident: Incident, reader: Reader): Markup | null {
  switch (incident.presence) {
    case 'seen':
      return null;
    case 'absent':
      return markup`Not found by the last check. `;
    case 'unjudged':
      return markup`Could not be checked last time. `;
    case 'resumed':
    case 'unverified':
      return markup`Not checked again since ftm-watch started. `;
    case 'hidden':
      return markup`Hidden by a deeper fault, last seen ${distance(incident.lastSeen, reader)}. `;
  }
}

/** @param about how many notifications, or for how many incidents */
function notifiedText(incident: Incident, about: string, context: IncidentContext): Markup {
  const { lastNotified, awaitsDigest } = incident;
  if (isUnverified(incident)) return markup`No notifications until the fault has been checked again.`;
  if (awaitsDigest) return markup`A notification is held back, because the hourly limit has been reached.`;
  if (lastNotified === null) return markup`No notifications have been sent.`;
  const { states, reader } = context;
  const byState = states.map((recipients) => markup` ${takenText(lastNotified, recipients, reader)}`);
  // Channels that publish the current state create no outbox entries. If there are no entries, all configured channels
  // are of this kind.
  const isByStateOnly = states.length > 0 && waysOf(incident, context).length === 0;
  return markup`${isByStateOnly ? null : sentText(incident, lastNotified, about, context)}${byState}`;
}

/** For mail and webhooks, recipients count as notified only after successful delivery. */
function sentText(incident: Incident, lastNotified: LastNotified, about: string, context: IncidentContext): Markup {
  const { states, reader } = context;
  const ways = waysOf(incident, context);
  if (ways.length === 0 || ways.some(({ delivery }) => delivery.status === 'sent'))
    return markup`Notified ${distance(lastNotified.at, reader)}, ${about}.`;
  return states.length === 0
    ? markup`Nobody has been notified yet, because no notification has been delivered.`
    : markup`Notifications by email or webhook have not been delivered.`;
}

function waysOf(incident: Incident, { outboxEntries }: IncidentContext): readonly Way[] {
  return deliveryGroupsOf(
    outboxEntries.filter(({ notification }) => incidentsOf(notification).some(({ id }) => id === incident.id)),
  ).flatMap((group) => group.ways);
}

function takenText(lastNotified: LastNotified, { name, tookAt }: ChannelState, reader: Reader): Markup {
  if (tookAt === null)
    return markup`${name} has not accepted any notification since ftm-watch was started or reloaded.`;
  if (tookAt < lastNotified.at) return markup`${name} has not accepted the notification yet.`;
  return markup`${name} accepted the notification ${distance(tookAt, reader)}.`;
}

function closedView(incident: Incident, reader: Reader): Markup {
  const { id, cause, since } = incident;
  return markup`<li><a href="incidents/${encodeURIComponent(id)}">${breakable(capital(headline(cause)))}</a>
<span class="quiet">${moment(since, reader)}, lasted ${lastedText(incident)}</span>${conditionTags(incident)}</li>`;
}
