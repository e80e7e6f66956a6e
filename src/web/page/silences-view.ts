import type { EpochMs, Millis } from '../../core/clock.ts';
import { utcText } from '../../core/instant-text.ts';
import type { Silence } from '../../engine/incident/incident.ts';
import type { MaintenancePlan } from '../alert-history.ts';
import { type Markup, markup, subjectView } from './markup.ts';
import { more } from './more.ts';
import { badge } from './signs.ts';
import { distance, spanText } from './time-text.ts';

const MAX_SHOWN = 10;
/** People who rely on a silence should see its end coming. */
const SOON: Millis = 30 * 60_000;

/** For whom nothing is told, why, and until when; nothing where everything is told and nothing is planned. */
export function silencesView(all: readonly Silence[], { until, next }: MaintenancePlan, now: EpochMs): Markup | null {
  const lasting = all.filter((silence) => silence.until > now).toSorted((a, b) => a.until - b.until);
  if (lasting.length === 0 && until === null && next === null) return null;
  return markup`<section id="silences" class="card" aria-labelledby="silences-title">
<h2 id="silences-title">Silences <span class="count">${lasting.length}</span></h2>
${until === null ? null : markup`<p>${badge('wait', 'Maintenance')} Notifications wait; it ends ${end(until, now)}</p>`}
${
  lasting.length === 0
    ? null
    : markup`<ul class="incidents">${lasting.slice(0, MAX_SHOWN).map((silence) => silenceView(silence, now))}</ul>`
}
${more(lasting.length - MAX_SHOWN, 'silences')}
${
  next === null
    ? null
    : markup`<p class="quiet">Next maintenance ${distance(next.from, now)}, for ${spanText(
        next.until - next.from,
      )} (${utcText(next.from)})</p>`
}
</section>`;
}

function silenceView({ id, cause, subject, until, by, comment }: Silence, now: EpochMs): Markup {
  const soon = until - now < SOON;
  return markup`<li id="lasting-${id}"><p>${soon ? badge('warn', 'Ends soon') : badge('wait', 'Silenced')} ${
    cause === null ? 'Every cause' : markup`<code class="tag">${cause}</code>`
  }${subject === null ? null : [' ', subjectView(subject)]}</p>
<p>${comment}</p><p class="quiet">By ${by}; ends ${end(until, now)}</p>
<code class="command block" data-copy><span class="line">ftm-watch silence remove ${id}</span></code></li>`;
}

function end(until: EpochMs, now: EpochMs): Markup {
  return markup`${distance(until, now)} (${utcText(until)})`;
}
