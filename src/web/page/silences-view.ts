import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';
import { type Markup, markup, subjectView } from '../../document/html.ts';
import { isPlanned, type Silence } from '../../engine/incident/incident.ts';
import type { MaintenancePlan } from '../../notify/maintenance.ts';
import { badge, moment, more, type Reader, timeAndDistance } from './page-document.ts';

const MAX_SHOWN = 10;
/** An active silence that ends soon is highlighted, so that people who rely on it can extend it. */
const SOON: Millis = 30 * 60_000;

/** Null if no notifications are held back and neither a silence nor maintenance is planned. */
export function silencesView(all: readonly Silence[], { until, next }: MaintenancePlan, reader: Reader): Markup | null {
  const lasting = all.filter((silence) => silence.until > reader.now).toSorted((a, b) => a.until - b.until);
  if (lasting.length === 0 && until === null && next === null) return null;
  return markup`<section id="silences" class="card" aria-labelledby="silences-title">
<h2 id="silences-title">${
    lasting.length === 0 ? 'Maintenance' : markup`Silences <span class="count">${lasting.length}</span>`
  }</h2>
${
  until === null ? null : markup`<p>${badge('wait', 'Maintenance')} No notifications until ${moment(until, reader)}</p>`
}
${
  lasting.length === 0
    ? null
    : markup`<ul class="incidents">${lasting.slice(0, MAX_SHOWN).map((silence) => silenceView(silence, reader))}</ul>`
}
${more(lasting.length - MAX_SHOWN, 'silences')}
${
  next === null
    ? null
    : markup`<p class="quiet">Next maintenance ${moment(next.from, reader)},
for ${spanText(next.until - next.from)}</p>`
}
</section>`;
}

function silenceView(silence: Silence, reader: Reader): Markup {
  const { id, cause, subject, from, until, by, comment } = silence;
  const planned = isPlanned(silence, reader.now);
  return markup`<li id="lasting-${id}"><p>${silenceBadge(silence, reader)} ${
    cause === null ? 'All causes' : markup`<code class="tag">${cause}</code>`
  }${subject === null ? null : [' ', subjectView(subject)]}</p>
<p>${comment}</p><p class="quiet">By ${by}; ${
    planned ? markup`begins ${moment(from, reader)}, ` : null
  }ends ${timeAndDistance(until, reader)}</p>
<code class="command block" data-copy><span class="line">ftm-watch silence remove ${id}</span></code></li>`;
}

function silenceBadge(silence: Silence, { now }: Reader): Markup {
  if (isPlanned(silence, now)) return badge('wait', 'Planned');
  return silence.until - now < SOON ? badge('warn', 'Ends soon') : badge('wait', 'Silenced');
}
