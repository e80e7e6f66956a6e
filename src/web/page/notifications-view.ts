import { eventOf, incidentsOf } from '../../engine/incident/notification.ts';
import type { AlertHistory } from '../alert-history.ts';
import type { Activity, StateRecipients } from '../sources.ts';
import { type Markup, markup } from './markup.ts';
import { more } from './more.ts';
import { badge } from './signs.ts';
import { isTroubled, type DeliveryGroup, deliveryGroupsOf } from './delivery-group.ts';
import { waysView } from './delivery-group-view.ts';
import { distance, type Reader } from './time-text.ts';

const MAX_TROUBLED = 10;
const MAX_ARRIVED = 15;
/** Of a digest. */
const MAX_CAUSES = 3;

type Event = ReturnType<typeof eventOf>;

export const EVENT_WORDS: Readonly<Record<Event, string>> = {
  firing: 'Alarm',
  reminder: 'Reminder',
  changed: 'Change',
  resolved: 'All-clear',
  digest: 'Digest',
  test: 'Test',
  restart: 'Restart',
  summary: 'Summary',
};

/** Who was told, latest first: what has not arrived stands open, the rest is folded. */
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
${groups.length === 0 ? markup`<p class="quiet">None recently.</p>` : null}
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

function silentView({ name, silent }: StateRecipients): Markup | null {
  if (silent === 0) return null;
  return markup`<p>${badge('warn', name)} <span class="quiet">${
    silent === 1 ? 'one instance' : `${String(silent)} instances`
  } did not take the last message; tried again all the time</span></p>`;
}

/** Shown where something may be missing because the history cannot be used. */
export const HISTORY_MISSING: Markup = markup`<p class="quiet">The history is not available: what is over and what was sent may be missing here.</p>`;

function deliveryGroupView(group: DeliveryGroup, reader: Reader): Markup {
  const { notification } = group;
  const incidents = incidentsOf(notification);
  const causes = incidents.slice(0, MAX_CAUSES).map(({ cause }) => markup` <code class="tag">${cause.id}</code>`);
  const others = incidents.length - causes.length;
  return markup`<li><p><strong>${EVENT_WORDS[eventOf(notification)]}</strong>${causes}${
    others > 0 ? ` and ${String(others)} more` : null
  } <span class="quiet">${distance(notification.at, reader)}</span></p>${waysView(group, reader, 'full')}</li>`;
}
