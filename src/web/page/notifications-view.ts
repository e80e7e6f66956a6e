import { eventOf, incidentsOf } from '../../engine/incident/incident.ts';
import type { AlertHistory, Activity } from '../sources.ts';
import type { ChannelState } from '../../notify/channels/channel.ts';
import { more, badge, distance, type Reader } from './page-document.ts';
import { type Markup, markup, wordsView } from '../../document/html.ts';
import {
  type DeliveryGroup,
  deliveryGroupsOf,
  EVENT_WORDS,
  wayState,
  wayWords,
} from '../../notify/channels/deliveries.ts';

const MAX_TROUBLED = 10;
const MAX_ARRIVED = 15;
const MAX_CAUSES = 3;

/** Latest first. Undelivered notifications are always visible, and the others are collapsed. */
export function notificationsView(
  { outboxEntries, complete }: AlertHistory,
  { states, noChannel }: Pick<Activity, 'states' | 'noChannel'>,
  reader: Reader,
): Markup {
  const groups = deliveryGroupsOf(outboxEntries);
  const troubled = groups.filter(isTroubled);
  const arrived = groups.filter((group) => !isTroubled(group));
  return markup`<section id="notifications" class="card notifications" aria-labelledby="notifications-title">
<h2 id="notifications-title">Notifications${
    troubled.length === 0 ? null : markup` <span class="count">${troubled.length} not delivered</span>`
  }</h2>
${noChannel === null ? null : markup`<p>${badge('warn', noChannel)}</p>`}
${states.map(silentView)}
${groups.length === 0 ? markup`<p class="quiet">No recent notifications.</p>` : null}
${
  troubled.length === 0
    ? null
    : markup`<ul class="incidents">${troubled
        .slice(0, MAX_TROUBLED)
        .map((group) => deliveryGroupView(group, reader))}</ul>${more(troubled.length - MAX_TROUBLED, 'notifications')}`
}
${
  arrived.length === 0
    ? null
    : markup`<details id="sent-notifications"><summary>Sent recently: ${arrived.length}</summary>
<ul class="incidents">${arrived.slice(0, MAX_ARRIVED).map((group) => deliveryGroupView(group, reader))}</ul>
${more(arrived.length - MAX_ARRIVED, 'notifications')}</details>`
}
${complete ? null : HISTORY_MISSING}
</section>`;
}

function silentView({ name, silent }: ChannelState): Markup | null {
  if (silent === 0) return null;
  return markup`<p>${badge('warn', name)} <span class="quiet">${
    silent === 1 ? 'one instance' : `${String(silent)} instances`
  } did not accept the last notification; retrying</span></p>`;
}

export const HISTORY_MISSING: Markup = markup`<p class="quiet">The history is not available, so resolved incidents and
sent notifications may be missing.</p>`;

function deliveryGroupView(group: DeliveryGroup, reader: Reader): Markup {
  const { notification } = group;
  const incidents = incidentsOf(notification);
  const causes = incidents.slice(0, MAX_CAUSES).map(({ cause }) => markup` <code class="tag">${cause.id}</code>`);
  const others = incidents.length - causes.length;
  return markup`<li><p><strong>${EVENT_WORDS[eventOf(notification)]}</strong>${causes}${
    others > 0 ? ` and ${String(others)} more` : null
  } <span class="quiet">${distance(notification.at, reader)}</span></p>${waysView(group, reader)}</li>`;
}

function waysView({ ways }: DeliveryGroup, { times }: Reader): Markup {
  return markup`<ul class="ways">${ways.map((way) => {
    const { tone, word } = wayState(way.delivery);
    return markup`<li>${badge(tone, word)} <span class="quiet">${wordsView(wayWords(way, times))}</span></li>`;
  })}</ul>`;
}

function isTroubled({ ways }: DeliveryGroup): boolean {
  return ways.some(({ delivery: { status } }) => status !== 'sent' && status !== 'withdrawn');
}
