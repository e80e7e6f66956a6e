import { spanText } from '../../core/time-text.ts';
import { type AvailabilityPeriod, availabilityShare } from '../../engine/availability.ts';
import { type Markup, markup } from '../../document/html.ts';
import type { Reader } from './document.ts';
import { shareText } from './history-view.ts';

/** Twelve months and the two years they belong to. The CSV export contains all periods. */
const MOST_SHOWN = 14;

export function availabilityView(periods: readonly AvailabilityPeriod[], reader: Reader): Markup {
  return markup`<section id="availability" class="card" aria-labelledby="availability-title"><h2 id="availability-title">Availability</h2>
${
  periods.length === 0
    ? markup`<p class="quiet">Nothing is known yet.</p>`
    : markup`<div class="scroll" tabindex="0" role="group" aria-label="Availability by year and month"><table>
<thead><tr><th scope="col">Period (${reader.zone.name})</th><th scope="col">Availability</th><th scope="col">Not ready</th><th scope="col">Unknown</th></tr></thead>
<tbody>${periods.slice(0, MOST_SHOWN).map((period) => rowView(period, reader))}</tbody></table></div>
<p class="quiet">Share of the known time in which activation was ready. Unknown is the time in which ftm-watch did not run or could not check everything.</p>`
}
<p class="quiet">The same <a href="api/v1/availability.csv">as CSV</a></p></section>`;
}

function rowView(period: AvailabilityPeriod, reader: Reader): Markup {
  const { name, ready, notReady, unknown, partial } = period;
  const share = availabilityShare(period);
  const unknownShare = (unknown / (ready + notReady + unknown)) * 100;
  return markup`<tr><th scope="row">${name}${partial ? markup` <span class="quiet">${partialText(period, reader)}</span>` : null}</th>
<td>${share === null ? 'unknown' : shareText(share * 100)}</td><td>${notReady === 0 ? 'never' : spanText(notReady)}</td>
<td>${unknown === 0 ? 'never' : `${spanText(unknown)} (${unknownShare < 0.1 ? 'under 0.1' : unknownShare.toFixed(1)} %)`}</td></tr>`;
}

function partialText({ name, from }: AvailabilityPeriod, { zone, now }: Reader): string {
  const day = zone.local(from).slice(0, 10);
  const isFromBegin = day === `${name}-01-01`.slice(0, day.length);
  return isFromBegin && zone.local(now).startsWith(name) ? 'so far' : `from ${day}`;
}
