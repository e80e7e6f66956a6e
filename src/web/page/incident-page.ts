import type { EpochMs } from '../../core/clock.ts';
import type { Zone } from '../../core/time-text.ts';
import { anchorOf, type Section } from '../../document/document.ts';
import { breakable, type Content, type Markup, markup, partsView, subjectView } from '../../document/html.ts';
import {
  acknowledgeCommand,
  incidentFacts,
  incidentStory,
  incidentTitle,
  REMEDY_WHEN_OVER,
  silenceCommand,
  TIMELINE,
  titledFault,
  titledImpact,
} from '../../document/incident-story.ts';
import { SEVERITY_TONES } from '../../document/states.ts';
import { type Incident, lastedText } from '../../engine/incident/incident.ts';
import type { Cause } from '../../engine/model.ts';
import { notificationEvents } from '../../notify/channels/deliveries.ts';
import { MAX_COMMENT, MAX_NAME } from '../changes.ts';
import type { IncidentRecord } from '../sources.ts';
import { type StaticFile, taggedFile } from '../static-files.ts';
import {
  commandView,
  HTML,
  livePage,
  moment,
  pageDocument,
  type Reader,
  type Root,
  timeAndAge,
  timeAndDistance,
} from './page-document.ts';
import { heldView, ownerView } from './faults.ts';
import { conditionTags, type Quiet, stateBadge } from './incidents-view.ts';

interface IncidentPage {
  readonly site: string;
  readonly root: Root;
  readonly record: IncidentRecord;
  readonly quiet: Quiet;
  /** Whether activation works now. */
  readonly present: string;
  readonly permission: Permission;
  /** For commands, which need no permission. */
  readonly controlSocket: string;
  /** Why the action of a form failed. */
  readonly problems: readonly string[];
  readonly reader: Reader;
}

export type Permission =
  | { readonly kind: 'allowed'; readonly asksName: boolean }
  | { readonly kind: 'no-accounts' }
  | { readonly kind: 'role'; readonly role: string };

/** The answer to a form does not ask for news, because its address is not the page's. */
export function renderIncident(page: IncidentPage): StaticFile {
  const { site, root, record, problems, reader } = page;
  const { cause, status } = record.incident;
  const isOver = status === 'closed';
  const content = {
    title: `${isOver ? '' : 'Open: '}${incidentTitle(record.incident)}`,
    site,
    root,
    place: 'incidents',
    icon: isOver ? 'ready' : cause.severity === 'critical' ? 'not-ready' : 'warning',
    reader,
    main: mainView(page),
  } as const;
  return problems.length === 0
    ? livePage({ ...content, scripts: ['live.js'] })
    : taggedFile(pageDocument({ ...content, scripts: ['incidents.js'] }), HTML);
}

/** live.js replaces only elements with an ID that have changed, so a form that is being filled in is not replaced. */
function mainView(page: IncidentPage): Markup {
  const { site, root, record, problems, reader } = page;
  const { incident } = record;
  const { id } = incident;
  const times = (at: EpochMs): string => reader.zone.whole(at);
  const story = incidentStory(record, notificationEvents(record.outboxEntries, reader.times), times);
  const facts = incidentFacts(incident, site, null, times);
  const own = encodeURIComponent(id);
  return markup`${headView(page)}
${problemsView(problems)}
<div id="story" class="stack">${story.map((section) => cardView(section, commentForm(section, page)))}
${cardView({ title: 'Incident', parts: [{ kind: 'facts', lines: facts }] }, null)}</div>
<p id="elsewhere" class="quiet">This incident <a href="${root}incidents/${own}.md">as Markdown, for a post-mortem</a> ·
<a href="${root}api/v1/incidents/${own}">as JSON</a> · <a href="${root}changes?incident=${own}">all changes</a></p>`;
}

function problemsView(problems: readonly string[]): Markup | null {
  if (problems.length === 0) return null;
  return markup`<section class="own" role="alert"><h2>The action failed</h2>
<ul>${problems.map((problem) => markup`<li>${problem}</li>`)}</ul></section>`;
}

function headView(page: IncidentPage): Markup {
  const { record, root, quiet, present, reader } = page;
  const { incident } = record;
  const { id, cause, since, closedAt, lastSeen } = incident;
  const isOver = closedAt !== null;
  const tone = isOver ? 'none' : SEVERITY_TONES[cause.severity];
  const [fault, impact] = [titledFault(cause, isOver), titledImpact(cause, isOver)];
  const when = isOver
    ? markup`${moment(since, reader)} to ${timeAndDistance(closedAt, reader)}, lasted ${lastedText(incident)}`
    : markup`since ${timeAndAge(since, reader)}`;
  const own = { causes: [cause], incidents: [incident] } as const;
  const owner = isOver ? null : markup`${ownerView(own, reader)} ${heldView(own, quiet, reader)}`;
  const tags = [markup`<code class="tag">${cause.id}</code>`, subjectView(cause.subject), conditionTags(incident)];
  return markup`<section id="head" class="card cause ${tone}" aria-labelledby="incident-title">
<header id="state">${stateBadge(incident)} <span>${when}</span>${owner}${tags}</header>
<h1 id="incident-title">${breakable(incidentTitle(incident))}</h1>
<p id="summary">${isOver ? markup`<span class="quiet">${fault.title}</span> ` : null}${breakable(fault.text)}</p>
<p id="impact"><span class="quiet">${impact.title}</span> ${breakable(impact.text)}</p>
${isOver ? markup`<p id="present"><span class="quiet">Now</span> <a href="${root}">${present}</a></p>` : null}
<div id="act" class="forms">${actionsView(page)}</div>
<p id="links" class="links"><a href="${root}runbooks/${cause.id}?incident=${encodeURIComponent(id)}">Runbook</a></p>
<p id="seen" class="quiet">Last seen ${timeAndDistance(lastSeen, reader)}.</p></section>`;
}

/** Folded if it is only of use when the fault returns. */
function cardView({ title, parts }: Section, form: Markup | null): Markup {
  const id = anchorOf(title);
  const content = markup`<div id="${id}-content">${partsView(parts)}</div>`;
  if (title === REMEDY_WHEN_OVER)
    return markup`<section id="${id}-card" class="card"><details id="${id}"><summary><h2>${title}</h2></summary>
${content}</details></section>`;
  return markup`<section id="${id}" class="card" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}${form}</section>`;
}

const DURATIONS: readonly (readonly [value: string, words: string])[] = [
  ['30m', '30 minutes'],
  ['2h', '2 hours'],
  ['8h', '8 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
];

function actionsView({ record: { incident }, root, permission, controlSocket, reader }: IncidentPage): Content {
  if (permission.kind !== 'allowed') {
    const isOpen = incident.status === 'open';
    const commands = isOpen ? commandsView(incident.cause, [incident], controlSocket) : null;
    return [readOnlyView(permission), commands === null ? null : markup`<div id="commands">${commands}</div>`];
  }
  if (incident.status === 'closed') return null;
  const name = nameField(permission);
  const to = (action: string): string => actionPath(root, incident, action);
  return [acknowledgeForm(incident, name, to), silenceForm(name, to('silence'), reader.zone)];
}

function readOnlyView(permission: Exclude<Permission, { readonly kind: 'allowed' }>): Markup {
  const why =
    permission.kind === 'no-accounts'
      ? markup`no accounts are configured (<code>web.users</code>).`
      : markup`your account has the role ${permission.role}. Changes require the role <code>change</code>.`;
  return markup`<p id="read-only" class="quiet">Read-only: ${why}</p>`;
}

/** For readers who may change nothing on the page. */
export function commandsView(
  cause: Pick<Cause, 'id' | 'subject'>,
  incidents: readonly Incident[],
  controlSocket: string,
): Markup {
  const left = incidents.filter(({ acknowledgement }) => acknowledgement === null);
  const commands = [...(left.length === 0 ? [] : [acknowledgeCommand(left, controlSocket)]), silenceCommand(cause)];
  const what = left.length === 0 ? 'Silence' : 'Acknowledge or silence';
  return markup`<p class="quiet">${what} on the machine that runs ftm-watch:</p>
${commands.map(commandView)}`;
}

function actionPath(root: Root, incident: Incident, action: string): string {
  return `${root}incidents/${encodeURIComponent(incident.id)}/${action}`;
}

function nameField({ asksName }: Extract<Permission, { readonly kind: 'allowed' }>): Markup | null {
  return asksName
    ? markup`<label>Your name <input name="by" maxlength="${MAX_NAME}" autocomplete="name"></label>`
    : null;
}

function acknowledgeForm({ acknowledgement }: Incident, name: Markup | null, to: (action: string) => string): Markup {
  return acknowledgement === null
    ? form(
        'acknowledge',
        to('acknowledge'),
        markup`${name}<button>Acknowledge</button>
<p class="quiet">Stops the reminders until the incident is resolved, its severity rises or its cause changes.</p>`,
      )
    : form('acknowledge', to('unacknowledge'), markup`${name}<button>Withdraw the acknowledgement</button>`);
}

function silenceForm(name: Markup | null, to: string, zone: Zone): Markup {
  return form(
    'silence',
    to,
    markup`${durationField()}<label>From (${zone.name}), now if empty <input name="from" type="datetime-local"></label>
<label>Reason <input name="comment" required maxlength="${MAX_COMMENT}"></label>${name}
<button>Silence</button>`,
  );
}

export function durationField(): Markup {
  return markup`<label>Silence for <select name="duration">${DURATIONS.map(
    ([value, words]) => markup`<option value="${value}"${value === '2h' ? markup` selected` : null}>${words}</option>`,
  )}</select></label>`;
}

function commentForm({ title }: Section, { permission, root, record }: IncidentPage): Markup | null {
  if (title !== TIMELINE || permission.kind !== 'allowed') return null;
  return form(
    'comment',
    actionPath(root, record.incident, 'comment'),
    markup`<label>Comment <input name="comment" required maxlength="${MAX_COMMENT}"></label>${nameField(permission)}
<button>Comment</button>`,
  );
}

function form(id: string, to: string, fields: Markup): Markup {
  return markup`<form id="${id}" method="post" action="${to}">${fields}</form>`;
}
