import { headline } from '../../checks/headline.ts';
import { CAUSE_IDS } from '../../checks/registry.ts';
import type { EpochMs } from '../../core/clock.ts';
import { isoTime, spanText } from '../../core/time-text.ts';
import { type Incident, lastedText } from '../../engine/incident/incident.ts';
import { type AvailabilityPeriod, availabilityShare } from '../../engine/availability.ts';
import { capital } from '../../engine/words.ts';
import type { FoundIncidents } from '../sources.ts';
import type { ReadIncidentQuery } from '../incident-json.ts';
import { shareText } from './history-view.ts';
import { badge, moment, pageDocument, type Reader, timeAndAge } from './page-document.ts';
import { breakable, type Content, type Markup, markup, subjectView } from '../../document/html.ts';
import { SEVERITY_TONES } from '../../document/states.ts';
import { type Quiet, stateBadge, tagsView } from './incidents-view.ts';
import { HISTORY_MISSING } from './notifications-view.ts';

interface IncidentList {
  readonly site: string;
  readonly asked: ReadIncidentQuery;
  readonly found: FoundIncidents;
  readonly quiet: Quiet;
  readonly availability: readonly AvailabilityPeriod[];
  readonly reader: Reader;
}

const MORE = markup`<p class="quiet">There are more incidents. Select a shorter period, or download all incidents with
one of these links.</p>`;

export function renderIncidentList(list: IncidentList): string {
  const { site, asked, found, quiet, availability, reader } = list;
  // All parameters, even empty ones. Without parameters, the API returns only the incidents of the last few days.
  const { from, until } = asked.query;
  const query = new URLSearchParams({
    cause: '',
    state: '',
    from: '',
    until: '',
    ...asked.given,
    // The form uses days in the site's time zone, but the API uses UTC times.
    ...(from === null ? {} : { from: isoTime(from) }),
    ...(until === null ? {} : { until: isoTime(until) }),
  }).toString();
  return pageDocument({
    title: 'Incidents',
    site,
    root: '',
    icon: 'unknown',
    place: 'incidents',
    scripts: ['incidents.js'],
    head: markup`<link rel="alternate" type="application/atom+xml" title="Incidents" href="incidents.atom">\n`,
    reader,
    main: markup`<section class="card" aria-labelledby="list-title"><h1 id="list-title">Incidents</h1>
${asked.problems.map((problem) => markup`<p class="problem">${badge('warn', 'Ignored')} ${problem}</p>`)}
${filterView(asked, reader)}
${
  found.incidents.length === 0
    ? markup`<p class="quiet">None.</p>`
    : markup`<ul class="incidents list">${found.incidents.map((incident) => rowView(incident, quiet, reader))}</ul>`
}
${found.more ? MORE : null}
<p class="quiet">This list <a href="api/v1/incidents.csv?${query}">as CSV</a> ·
<a href="api/v1/incidents?${query}">as JSON</a> · <a href="incidents.atom">the latest as a feed</a></p>
${found.complete ? null : HISTORY_MISSING}</section>
${availabilityView(availability, reader)}`,
  });
}

function filterView({ given, query }: ReadIncidentQuery, { zone }: Reader): Markup {
  const dayOf = (text = '', at: EpochMs | null = null): string =>
    // The form accepts only days. If the URL contains a time, the form shows its day.
    at !== null && text.includes('T') ? zone.local(at).slice(0, 10) : text;
  return markup`<form class="filter" method="get" action="incidents">
<label>Cause <select name="cause">${option('', 'Any', given['cause'])}${CAUSE_IDS.map((id) =>
    option(id, id, given['cause']),
  )}</select></label>
<label>State <select name="state">${option('', 'Any', given['state'])}${option('open', 'Open', given['state'])}${option(
    'closed',
    'Resolved',
    given['state'],
  )}</select></label>
<label>From <input type="date" name="from" value="${dayOf(given['from'], query.from)}"></label>
<label>Until <input type="date" name="until" value="${dayOf(given['until'], query.until)}"></label>
<button>Show</button> <a href="incidents">All</a></form>`;
}

function option(value: string, word: string, chosen = ''): Markup {
  return markup`<option value="${value}"${value === chosen ? markup` selected` : null}>${word}</option>`;
}

function rowView(incident: Incident, quiet: Quiet, reader: Reader): Markup {
  const { id, status, cause, acknowledgement } = incident;
  const tags = markup`${subjectView(cause.subject)}${tagsView(incident, quiet, reader)}`;
  return markup`<li class="${status === 'open' ? SEVERITY_TONES[cause.severity] : 'none'}">
<p>${stateBadge(incident)} <code class="tag">${cause.id}</code> ${tags}</p>
<p><a href="incidents/${encodeURIComponent(id)}">${breakable(capital(headline(cause)))}</a></p>
<p class="quiet">${whenText(incident, reader)}${
    acknowledgement === null ? null : `, acknowledged by ${acknowledgement.by}`
  }</p></li>`;
}

function whenText(incident: Incident, reader: Reader): Content {
  const { since, closedAt } = incident;
  return closedAt === null
    ? markup`Since ${timeAndAge(since, reader)}`
    : markup`Started ${moment(since, reader)}, lasted ${lastedText(incident)}`;
}

/** Twelve months and the two years that they span. The CSV export contains all periods. */
const MOST_PERIODS = 14;
const PERIOD_COLUMNS = ['Period', 'Availability', 'Not ready', 'Unknown'];

function availabilityView(periods: readonly AvailabilityPeriod[], reader: Reader): Markup {
  return markup`<section id="availability" class="card" aria-labelledby="availability-title">
<h2 id="availability-title">Availability</h2>
${
  periods.length === 0
    ? markup`<p class="quiet">No data yet.</p>`
    : markup`<div class="scroll" tabindex="0" role="group" aria-label="Availability by year and month"><table>
<thead><tr>${PERIOD_COLUMNS.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${periods.slice(0, MOST_PERIODS).map((period) => periodView(period, reader))}</tbody></table></div>
<p class="quiet">Share of the known time during which activation was ready.
Time is unknown if ftm-watch did not run or could not check everything.</p>`
}
<p class="quiet">The same <a href="api/v1/availability.csv">as CSV</a></p></section>`;
}

function periodView(period: AvailabilityPeriod, reader: Reader): Markup {
  const { name, ready, notReady, unknown, partial } = period;
  const share = availabilityShare(period);
  const unknownShare = (unknown / (ready + notReady + unknown)) * 100;
  const part = partial ? markup` <span class="quiet">${partialText(period, reader)}</span>` : null;
  const unknownText = unknownShare < 0.1 ? 'under 0.1' : unknownShare.toFixed(1);
  return markup`<tr><th scope="row">${name}${part}</th>
<td>${share === null ? 'unknown' : shareText(share * 100)}</td><td>${notReady === 0 ? 'never' : spanText(notReady)}</td>
<td>${unknown === 0 ? 'never' : `${spanText(unknown)} (${unknownText} %)`}</td></tr>`;
}

function partialText({ name, from }: AvailabilityPeriod, { zone, now }: Reader): string {
  const day = zone.local(from).slice(0, 10);
  const isFromBegin = day === `${name}-01-01`.slice(0, day.length);
  return isFromBegin && zone.local(now).startsWith(name) ? 'so far' : `from ${day}`;
}
