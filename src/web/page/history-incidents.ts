import type { Zone } from '../../core/zoned-text.ts';
import { CHART_WINDOWS, type RangeData } from '../chart-data.ts';
import { type Markup, markup, subjectView } from './markup.ts';

const MOST_SHOWN = 12;

/** What the marks on the charts are, each with a link: a mark may be too narrow to be hit. */
export function historyIncidents({ incidents, from, range }: RangeData, zone: Zone): Markup {
  const day = zone.local(from).slice(0, 10);
  return markup`<h3>Incidents in this time</h3>${
    incidents.length === 0
      ? markup`<p class="quiet">None.</p>`
      : markup`<ul class="marked">${incidents
          .slice(0, MOST_SHOWN)
          .map(
            ({ id, cause, subject, from: since, lasted }) =>
              markup`<li><a href="incidents/${encodeURIComponent(id)}">${cause}</a> ${subjectView(subject)} <span class="quiet">${zone.text(since)}, ${lasted === null ? 'open' : `for ${lasted}`}</span></li>`,
          )}</ul>`
  }${
    incidents.length <= MOST_SHOWN
      ? null
      : markup`<p><a href="incidents?from=${day}">All of the last ${CHART_WINDOWS[range].back / 86_400_000} days</a></p>`
  }`;
}
