import { type Incident, lastedText } from '../../engine/incident/incident.ts';
import type { IncidentRecord } from '../sources.ts';
import { pageDocument, type Root, distance, timeAndDistance, type Reader } from './document.ts';
import { breakable, type Markup, markup, partsOf, subjectView } from '../../document/html.ts';
import { SEVERITY_TONES } from '../../document/states.ts';
import { anchorOf, type Section } from '../../document/document.ts';
import { incidentStory, silenceCommand } from '../../document/incident-story.ts';
import { notificationEvents } from '../../notify/channels/deliveries.ts';
import { type Quiet, stateBadge, tagsView } from './incidents-view.ts';
import { MAX_COMMENT, MAX_NAME } from '../changes.ts';
import type { Zone } from '../../core/time-text.ts';

interface IncidentPage {
  readonly site: string;
  readonly root: Root;
  readonly record: IncidentRecord;
  readonly quiet: Quiet;
  readonly permission: Permission;
  readonly problems: readonly string[];
  readonly reader: Reader;
}

export function renderIncident(page: IncidentPage): string {
  const { site, root, record, permission, problems, reader } = page;
  const { incident } = record;
  const { id, cause, status } = incident;
  return pageDocument({
    title: cause.summary,
    site,
    root,
    icon: status === 'closed' ? 'ready' : cause.severity === 'critical' ? 'not-ready' : 'unknown',
    scripts: ['incidents.js'],
    reader,
    main: markup`${headView(page)}
${problems.length === 0 ? null : markup`<section class="own" role="alert"><h2>The action failed</h2><ul>${problems.map((problem) => markup`<li>${problem}</li>`)}</ul></section>`}
${incidentForms(incident, permission, root, reader.zone)}
${incidentStory(record, notificationEvents(record.outboxEntries, reader.times), reader.times).map(cardView)}${omittedView(page)}
<p class="quiet">This incident <a href="${root}incidents/${encodeURIComponent(id)}.md">as Markdown, for a post-mortem</a> · <a href="${root}api/v1/incidents/${encodeURIComponent(id)}">as JSON</a></p>`,
  });
}

function omittedView({ root, record: { incident, omittedChanges } }: IncidentPage): Markup | null {
  return omittedChanges === 0
    ? null
    : markup`<p class="quiet">${omittedChanges} more changes are not shown. <a href="${root}changes?incident=${encodeURIComponent(incident.id)}">Show all changes</a></p>`;
}

function headView({ record: { incident }, root, quiet, reader }: IncidentPage): Markup {
  const { status, cause, since, closedAt, acknowledgement } = incident;
  const tone = status === 'closed' ? 'good' : SEVERITY_TONES[cause.severity];
  return markup`<section class="card cause ${tone}" aria-labelledby="incident-title"><header>${stateBadge(incident)}<code class="tag">${cause.id}</code>${subjectView(cause.subject)}${tagsView(incident, quiet, reader)}</header>
<h1 id="incident-title">${breakable(cause.summary)}</h1>
<p class="quiet">${
    closedAt === null
      ? markup`Since ${timeAndDistance(since, reader)}`
      : markup`Started ${reader.zone.text(since)}, resolved ${timeAndDistance(closedAt, reader)}. The incident lasted ${lastedText(incident)}`
  }. Last seen ${distance(incident.lastSeen, reader)}.</p>
${acknowledgement === null ? null : markup`<p>Acknowledged by ${acknowledgement.by} ${distance(acknowledgement.at, reader)}. No reminders are sent.</p>`}
<p><span class="quiet">Impact</span> ${breakable(cause.impact)}</p>
<p><a href="${root}runbooks/${cause.id}?incident=${encodeURIComponent(incident.id)}">Runbook for ${cause.id}</a></p></section>`;
}

function cardView(section: Section): Markup {
  const id = anchorOf(section.title);
  return markup`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${section.title}</h2>
${partsOf([section])}</section>`;
}

interface Permission {
  /** Explains why the reader cannot make changes. Null if changes are allowed. */
  readonly refusal: string | null;
  readonly asksName: boolean;
}

export const DURATIONS: readonly (readonly [value: string, words: string])[] = [
  ['30m', '30 minutes'],
  ['2h', '2 hours'],
  ['8h', '8 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
];

function incidentForms(incident: Incident, { refusal, asksName }: Permission, root: Root, zone: Zone): Markup {
  if (refusal !== null)
    return markup`<section class="card" aria-labelledby="act-title"><h2 id="act-title">Acknowledge, silence, comment</h2>
<p class="quiet">${refusal}</p>${
      incident.status === 'open'
        ? markup`<code class="command block" data-copy><span class="line">${silenceCommand(incident.cause)}</span></code>`
        : null
    }</section>`;
  const to = (action: string): string => `${root}incidents/${encodeURIComponent(incident.id)}/${action}`;
  const name = asksName
    ? markup`<label>Your name <input name="by" maxlength="${MAX_NAME}" autocomplete="name"></label>`
    : null;
  return markup`<section class="card forms" aria-label="Acknowledge, silence, comment">
${incident.status === 'open' ? [acknowledgeForm(incident, name, to), silenceForm(name, to('silence'), zone)] : null}
${form(
  to('comment'),
  markup`<label>Comment <input name="comment" required maxlength="${MAX_COMMENT}"></label>${name}
<button>Comment</button>`,
)}</section>`;
}

function acknowledgeForm({ acknowledgement }: Incident, name: Markup | null, to: (action: string) => string): Markup {
  return acknowledgement === null
    ? form(
        to('acknowledge'),
        markup`${name}<button>Acknowledge</button>
<p class="quiet">Stops the reminders until the incident is resolved, its severity rises or its cause changes.</p>`,
      )
    : form(to('unacknowledge'), markup`${name}<button>Withdraw the acknowledgement</button>`);
}

function silenceForm(name: Markup | null, to: string, zone: Zone): Markup {
  return form(
    to,
    markup`<label>Silence for <select name="duration">${DURATIONS.map(
      ([value, words]) =>
        markup`<option value="${value}"${value === '2h' ? markup` selected` : null}>${words}</option>`,
    )}</select></label><label>From (${zone.name}), now if empty <input name="from" type="datetime-local"></label><label>Reason <input name="comment" required maxlength="${MAX_COMMENT}"></label>${name}
<button>Silence</button>`,
  );
}

function form(to: string, fields: Markup): Markup {
  return markup`<form method="post" action="${to}">${fields}</form>`;
}
