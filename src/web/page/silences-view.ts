import type { EpochMs, Millis } from '../../core/clock.ts';
import type { Silence } from '../../engine/incident/incident.ts';
import type { MaintenancePlan } from '../alert-history.ts';
import { type Markup, markup, subjectView } from './markup.ts';
import { more } from './more.ts';
import { badge } from './signs.ts';
import { distance, type Reader, spanText } from './time-text.ts';

const MAX_SHOWN = 10;
/** People who rely on a silence should see its end coming. */
const SOON: Millis = 30 * 60_000;

/** For whom nothing is told, why, and until when; nothing where everything is told and nothing is planned. */
export function silencesView(all: readonly Silence[], { until, next }: MaintenancePlan, reader: Reader): Markup | null {
  const lasting = all.filter((silence) => silence.until > reader.now).toSorted((a, b) => a.until - b.until);
  if (lasting.length === 0 && until === null && next === null) return null;
  return markup`<section id="silences" class="card" aria-labelledby="silences-title">
<h2 id="silences-title">Silences <span class="count">${lasting.length}</span></h2>
${until === null ? null : markup`<p>${badge('wait', 'Maintenance')} Notifications wait; it ends ${end(until, reader)}</p>`}
${
  lasting.length === 0
    ? null
    : markup`<ul class="incidents">${lasting.slice(0, MAX_SHOWN).map((silence) => silenceView(silence, reader))}</ul>`
}
${more(lasting.length - MAX_SHOWN, 'silences')}
${
  next === null
    ? null
    : markup`<p class="quiet">Next maintenance ${distance(next.from, reader)}, for ${spanText(
        next.until - next.from,
      )} (${reader.zone.text(next.from)})</p>`
}
</section>`;
}

function silenceView({ id, cause, subject, until, by, comment }: Silence, reader: Reader): Markup {
  const soon = until - reader.now < SOON;
  return markup`<li id="lasting-${id}"><p>${soon ? badge('warn', 'Ends soon') : badge('wait', 'Silenced')} ${
    cause === null ? 'Every cause' : markup`<code class="tag">${cause}</code>`
  }${subject === null ? null : [' ', subjectView(subject)]}</p>
<p>${comment}</p><p class="quiet">By ${by}; ends ${end(until, reader)}</p>
<code class="command block" data-copy><span class="line">ftm-watch silence remove ${id}</span></code></li>`;
}

function end(until: EpochMs, reader: Reader): Markup {
  return markup`${distance(until, reader)} (${reader.zone.text(until)})`;
}
