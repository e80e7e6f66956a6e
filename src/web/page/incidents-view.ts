import { compareSeverity } from '../../core/severity.ts';
import {
  type Incident,
  isMuted,
  isUnverified,
  type Silence,
  type LastNotified,
  lastedText,
  type FormerCause,
  type Occurrence,
  type OutboxEntry,
  incidentsOf,
  eventOf,
} from '../../engine/incident/incident.ts';
import type { AlertHistory, IncidentRecord, WebSources } from '../sources.ts';
import type { ChannelState } from '../../notify/channels/channel.ts';
import { byUrgency } from '../incident-json.ts';
import { more, badge, distance, type Reader } from './document.ts';
import { breakable, type Markup, markup, subjectView, SEVERITY_TONES, SEVERITY_WORDS } from '../../document/html.ts';
import {
  HISTORY_MISSING,
  type Way,
  type DeliveryGroup,
  deliveryGroupsOf,
  waysView,
  EVENT_WORDS,
} from './notifications-view.ts';
import type { AuditEntry } from '../../core/audit.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Cause } from '../../engine/model.ts';
import { visibleText } from '../../core/visible-text.ts';

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
  return deliveryGroupsAbout(incident, outboxEntries).flatMap((group) => group.ways);
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

type TimelineStep =
  | { readonly kind: 'seen' | 'opened'; readonly at: EpochMs }
  | { readonly kind: 'closed'; readonly at: EpochMs; readonly occurrence: Occurrence }
  /** `former` was the cause up to this time. */
  | { readonly kind: 'understood'; readonly at: EpochMs; readonly former: FormerCause }
  /** A person changed the incident or its silences. */
  | { readonly kind: 'changed'; readonly at: EpochMs; readonly change: AuditEntry }
  | { readonly kind: 'told'; readonly at: EpochMs; readonly group: DeliveryGroup };

export function timelineOf(
  incident: Incident,
  { outboxEntries, changes }: Pick<IncidentRecord, 'outboxEntries' | 'changes'>,
): readonly TimelineStep[] {
  const occurrences = [...incident.earlier, incident];
  const steps: readonly TimelineStep[] = [
    ...occurrences.flatMap(beginOf),
    ...incident.formerCauses.map((former) => ({ kind: 'understood' as const, at: former.until, former })),
    ...changes.map((change) => ({ kind: 'changed' as const, at: change.at, change })),
    ...occurrences.flatMap((occurrence) =>
      occurrence.closedAt === null ? [] : [{ kind: 'closed' as const, at: occurrence.closedAt, occurrence }],
    ),
    // Notifications are listed after other events with the same time, because those events trigger them.
    ...deliveryGroupsAbout(incident, outboxEntries).map((group) => ({
      kind: 'told' as const,
      at: group.notification.at,
      group,
    })),
  ];
  return steps.toSorted((a, b) => a.at - b.at);
}

function beginOf({ since, openedAt }: Occurrence): readonly TimelineStep[] {
  return [...(since < openedAt ? [{ kind: 'seen' as const, at: since }] : []), { kind: 'opened', at: openedAt }];
}

export function deliveryGroupsAbout(
  incident: Incident,
  outboxEntries: readonly OutboxEntry[],
): readonly DeliveryGroup[] {
  return deliveryGroupsOf(
    outboxEntries.filter(({ notification }) => incidentsOf(notification).some(({ id }) => id === incident.id)),
  );
}

export function stepView(step: TimelineStep, { cause }: Incident, reader: Reader): Markup {
  const when = markup`<span class="quiet">${distance(step.at, reader)}</span>`;
  switch (step.kind) {
    case 'seen':
      return markup`<li>First seen ${when}</li>`;
    case 'opened':
      return markup`<li class="${SEVERITY_TONES[cause.severity]}">Confirmed ${when}</li>`;
    case 'closed':
      return markup`<li class="good">Resolved ${when} <span class="quiet">after ${lastedText(step.occurrence)}</span></li>`;
    case 'understood':
      return markup`<li>Previous cause: <code class="tag">${step.former.id}</code> ${breakable(step.former.subject)} ${when}</li>`;
    case 'changed':
      return markup`<li>${changeWords(step.change)} ${when} <span class="quiet">${step.change.detail}</span></li>`;
    case 'told':
      return markup`<li class="told">${
        EVENT_WORDS[eventOf(step.group.notification)]
      } ${when}${waysView(step.group, reader)}</li>`;
  }
}

export function changeWords({ action, account, address }: AuditEntry): string {
  const who = `by ${account}${address === null ? '' : ` from ${address}`}`;
  switch (action) {
    case 'add-silence':
      return `Silenced ${who}`;
    case 'remove-silence':
      return `Silence removed ${who}`;
    case 'acknowledge':
      return `Acknowledged ${who}`;
    case 'unacknowledge':
      return `Acknowledgement withdrawn ${who}`;
    case 'comment':
      return `Comment ${who}`;
    case 'attach-capture':
      return `Packet capture of FortiAuthenticator’s connection attached ${who}`;
    case 'reload':
      return `Configuration reloaded ${who}`;
  }
}

const LONGEST_SUBJECT = 255;

/**
 * Quoted for a POSIX shell. A subject that cannot be quoted safely is omitted, and the silence then matches all
 * subjects.
 */
export function silenceCommand({ id, subject }: Pick<Cause, 'id' | 'subject'>): string {
  const isPlain = subject !== '' && visibleText(subject, LONGEST_SUBJECT) === subject;
  const about = isPlain ? ` --subject ${quoted(subject)}` : '';
  return `ftm-watch silence add --for 2h --cause ${id}${about} --comment 'being repaired'`;
}

function quoted(text: string): string {
  return /^[\w.:@/-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
