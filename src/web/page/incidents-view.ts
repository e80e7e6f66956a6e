import type { EpochMs } from '../../core/clock.ts';
import { type Incident, isFlapping } from '../../core/incident/incident.ts';
import { type Markup, markup } from './markup.ts';
import { badge, SEVERITY_TONES, SEVERITY_WORDS } from './signs.ts';
import { distance, spanText } from './time-text.ts';

const MAX_OPEN = 20;
const MAX_CLOSED = 8;

/** Open incidents with their story, then those that are over. */
export function incidentsView(incidents: readonly Incident[], now: EpochMs): Markup {
  const open = incidents.filter(({ status }) => status === 'open');
  const closed = incidents.filter(({ status }) => status === 'closed');
  return markup`<section class="card" aria-labelledby="incidents-title">
<h2 id="incidents-title">Open incidents <span class="count">${open.length}</span></h2>
${open.length === 0 ? markup`<p class="quiet">None.</p>` : markup`<ul class="incidents">${open.slice(0, MAX_OPEN).map((incident) => openView(incident, now))}</ul>`}
${more(open.length - MAX_OPEN)}
${closed.length === 0 ? null : markup`<details id="closed-incidents"><summary>Over lately: ${closed.length}</summary><ul class="incidents">${closed.slice(0, MAX_CLOSED).map((incident) => closedView(incident, now))}</ul>${more(closed.length - MAX_CLOSED)}</details>`}
</section>`;
}

function more(count: number): Markup | null {
  return count > 0 ? markup`<p class="quiet">and ${count} more: <a href="api/v1/incidents">as JSON</a></p>` : null;
}

function openView(incident: Incident, now: EpochMs): Markup {
  const { cause, formerCauses } = incident;
  const tone = SEVERITY_TONES[cause.severity];
  return markup`<li class="${tone}">
<p>${badge(tone, SEVERITY_WORDS[cause.severity])} <code class="tag">${cause.id}</code>${isFlapping(incident) ? markup` <span class="tag">comes and goes</span>` : null}</p>
<p>${cause.summary}</p>
<p class="quiet">Since ${distance(incident.since, now)}${sightText(incident, now)}. ${toldText(incident, now)}</p>
${formerCauses.length === 0 ? null : markup`<ol class="former quiet">${formerCauses.map((former) => markup`<li>${former.id} (${former.subject}) until ${distance(former.until, now)}</li>`)}</ol>`}
</li>`;
}

function sightText(incident: Incident, now: EpochMs): Markup | null {
  switch (incident.sight) {
    case 'seen':
      return null;
    case 'absent':
      return markup`, not seen in the last round`;
    case 'unjudged':
      return markup`, could not be judged in the last round`;
    case 'hidden':
      return markup`, hidden by something deeper, last seen ${distance(incident.lastSeen, now)}`;
  }
}

function toldText({ told, thread }: Incident, now: EpochMs): Markup {
  if (told === null) return markup`Nobody has been notified.`;
  return markup`Notified ${distance(told.at, now)}, ${thread.count === 1 ? 'once' : `${String(thread.count)} times`} in all.`;
}

function closedView({ cause, since, closedAt }: Incident, now: EpochMs): Markup {
  const end = closedAt ?? now;
  return markup`<li class="good"><p><code class="tag">${cause.id}</code> ${cause.subject}</p><p class="quiet">Over ${distance(end, now)}, after ${spanText(end - since)}</p></li>`;
}
