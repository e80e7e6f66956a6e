import { compareSeverity } from '../../core/severity.ts';
import {
  type Incident,
  isMuted,
  isUnverified,
  type Silence,
  type LastNotified,
  lastedText,
  type OutboxEntry,
  incidentsOf,
} from '../../engine/incident/incident.ts';
import type { AlertHistory, WebSources } from '../sources.ts';
import type { ChannelState } from '../../notify/channels/channel.ts';
import { byUrgency } from '../incident-json.ts';
import { more, badge, distance, type Reader } from './document.ts';
import { breakable, type Markup, markup, subjectView } from '../../document/html.ts';
import { SEVERITY_TONES, SEVERITY_WORDS } from '../../document/states.ts';
import { silenceCommand } from '../../document/incident-story.ts';
import { deliveryGroupsOf, type Way } from '../../notify/channels/deliveries.ts';
import { HISTORY_MISSING } from './notifications-view.ts';

const MAX_OPEN = 20;
const MAX_CLOSED = 10;

export interface Quiet {
  readonly maintenance: boolean;
  readonly silences: readonly Silence[];
}

export function quietNow(sources: WebSources): Quiet {
  return { maintenance: sources.maintenance().until !== null, silences: sources.silences() };
}

interface IncidentListContext {
  readonly outboxEntries: readonly OutboxEntry[];
  readonly quiet: Quiet;
  readonly states: readonly ChannelState[];
  readonly reader: Reader;
}

export function incidentsView(
  { incidents, omitted, outboxEntries, complete }: AlertHistory,
  quiet: Quiet,
  states: readonly ChannelState[],
  reader: Reader,
): Markup {
  const sorted = byUrgency(incidents);
  const open = sorted
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity));
  const closed = sorted.filter(({ status }) => status === 'closed');
  const context = { outboxEntries, quiet, states, reader };
  return markup`<section id="incidents" class="card" aria-labelledby="incidents-title">
<h2 id="incidents-title">Open incidents <span class="count">${open.length}</span></h2>
${
  open.length === 0
    ? markup`<p class="quiet">None.</p>`
    : markup`<ul class="incidents">${open.slice(0, MAX_OPEN).map((incident) => openView(incident, context))}</ul>`
}
${more(open.length - MAX_OPEN, 'incidents')}
${
  closed.length === 0
    ? null
    : markup`<details id="closed-incidents"><summary>Resolved within 7 days: ${closed.length + omitted}</summary>
<ul class="incidents">${closed.slice(0, MAX_CLOSED).map((incident) => closedView(incident, reader))}</ul>${more(closed.length + omitted - MAX_CLOSED, 'incidents')}</details>`
}
${complete ? null : HISTORY_MISSING}
</section>`;
}

function openView(incident: Incident, context: IncidentListContext): Markup {
  const { id, cause } = incident;
  const { quiet, reader } = context;
  const tone = SEVERITY_TONES[cause.severity];
  return markup`<li class="${tone}">
<p>${stateBadge(incident)} <code class="tag">${cause.id}</code>${tagsView(incident, quiet, reader)}</p>
<p><a href="incidents/${id}">${breakable(cause.summary)}</a></p>
<p class="quiet">Since ${distance(incident.since, reader)}${sightText(incident, reader)}. ${notifiedText(incident, context)}</p>
<details id="silence-${id}"><summary>Silence this incident for two hours</summary><code class="command block" data-copy><span class="line">${silenceCommand(cause)}</span></code></details>
</li>`;
}

export function tagsView(incident: Incident, quiet: Quiet, { now }: Reader): Markup {
  const { status, flapping, acknowledgement, cause, subjectKind } = incident;
  const isOpen = status === 'open';
  const tags = [
    flapping ? 'flapping' : null,
    isOpen && isMuted(quiet, cause, now) ? (quiet.maintenance ? 'in maintenance' : 'silenced') : null,
    isOpen && acknowledgement !== null ? 'acknowledged' : null,
    subjectKind === 'removed' ? 'no longer checked' : null,
  ];
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
      return markup`, not seen in the last round`;
    case 'unjudged':
      return markup`, could not be checked in the last round`;
    case 'resumed':
    case 'unverified':
      return markup`, not checked again since ftm-watch started`;
    case 'hidden':
      return markup`, hidden by a deeper fault, last seen ${distance(incident.lastSeen, reader)}`;
  }
}

function notifiedText(incident: Incident, context: IncidentListContext): Markup {
  const { lastNotified, awaitsDigest } = incident;
  if (isUnverified(incident)) return markup`Notifications are held back until the fault has been checked again.`;
  if (awaitsDigest) return markup`A notification is held back, because the hourly limit has been reached.`;
  if (lastNotified === null) return markup`No notifications have been sent.`;
  const { states, reader } = context;
  const byState = states.map((recipients) => markup` ${takenText(lastNotified, recipients, reader)}`);
  // Channels that publish the current state create no outbox entries. If there are no entries, all configured channels
  // are of this kind.
  const isByStateOnly = states.length > 0 && waysOf(incident, context).length === 0;
  return markup`${isByStateOnly ? null : sentText(incident, lastNotified, context)}${byState}`;
}

/** For mail and webhooks, recipients count as notified only after successful delivery. */
function sentText(incident: Incident, lastNotified: LastNotified, context: IncidentListContext): Markup {
  const { thread } = incident;
  const { states, reader } = context;
  const ways = waysOf(incident, context);
  if (ways.length === 0 || ways.some(({ delivery }) => delivery.status === 'sent'))
    return markup`Notified ${distance(lastNotified.at, reader)}, ${
      thread.count === 1 ? 'once' : `${String(thread.count)} times`
    } in total.`;
  return states.length === 0
    ? markup`Nobody has been notified yet, because no message has been delivered.`
    : markup`Messages by email or webhook have not been delivered.`;
}

function waysOf(incident: Incident, { outboxEntries }: IncidentListContext): readonly Way[] {
  return deliveryGroupsOf(
    outboxEntries.filter(({ notification }) => incidentsOf(notification).some(({ id }) => id === incident.id)),
  ).flatMap((group) => group.ways);
}

function takenText(lastNotified: LastNotified, { name, tookAt }: ChannelState, reader: Reader): Markup {
  if (tookAt === null) return markup`${name} has not accepted any message since ftm-watch was started or reloaded.`;
  if (tookAt < lastNotified.at) return markup`${name} has not accepted the message yet.`;
  return markup`${name} accepted the message ${distance(tookAt, reader)}.`;
}

function closedView(incident: Incident, reader: Reader): Markup {
  const { id, cause, closedAt } = incident;
  const end = closedAt ?? reader.now;
  return markup`<li><a href="incidents/${id}">${cause.id}</a> ${subjectView(cause.subject)} <span class="quiet">resolved ${distance(end, reader)}, lasted ${lastedText(incident)}</span></li>`;
}
