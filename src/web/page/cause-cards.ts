import { affected, groupHeadline, restOfImpact } from '../../checks/verdict-words.ts';
import { counted, nameList } from '../../core/visible-text.ts';
import { breakable, type Markup, markup, partsOf, subjectView } from '../../document/html.ts';
import { evidenceSection, remedySection } from '../../document/incident-story.ts';
import { SEVERITY_TONES, SEVERITY_WORDS } from '../../document/states.ts';
import type { Incident } from '../../engine/incident/incident.ts';
import { badge } from './page-document.ts';
import { type Fault, heldView, ownerView, sinceView } from './faults.ts';
import { conditionTags, type IncidentContext, notesOf } from './incidents-view.ts';
import { commandsView, durationField } from './incident-page.ts';
import { MAX_COMMENT } from '../changes.ts';

interface CardsContext extends IncidentContext {
  /** True if the reader may acknowledge and silence, under a name that is known. */
  readonly mayChange: boolean;
  readonly controlSocket: string;
  /** The first fault below a verdict, which tells since when it lasts, its impact and its owner. */
  readonly told: { readonly fault: Fault; readonly isOnly: boolean } | null;
}

/** The first card is open. The others are folded to headline and impact. */
export function causeCards(faults: readonly Fault[], context: CardsContext): readonly Markup[] {
  return faults.map((fault, index) => cardView(fault, index === 0, context));
}

function cardView(fault: Fault, isExpanded: boolean, context: CardsContext): Markup {
  const { id, causes, incidents } = fault;
  const { quiet, reader } = context;
  const told = context.told?.fault === fault ? context.told : null;
  const [first] = causes;
  const tone = SEVERITY_TONES[first.severity];
  const [incident] = incidents;
  const single = causes.length === 1;
  const classes = `card cause ${tone}${told === null ? '' : ' told'}${told?.isOnly === true ? ' only' : ''}`;
  const tags = [
    badge(tone, SEVERITY_WORDS[first.severity]),
    told === null ? markup`<span class="quiet">${sinceView(fault, reader)}</span>` : null,
    first.confidence === 'suspected' ? markup`<span class="tag">suspected</span>` : null,
    single && incident !== undefined ? conditionTags(incident) : null,
    markup`<code class="tag">${first.id}</code>`,
    single ? subjectView(first.subject) : null,
  ];
  return markup`<article id="${id}" class="${classes}" aria-labelledby="${id}-title">
<header id="${id}-tags">${tags}</header>
<h2 id="${id}-title">${breakable(groupHeadline(causes))}</h2>
${summaryView(fault)}${single ? null : subjectsView(fault)}
${impactView(fault, told)}${
  told === null ? markup`<p id="${id}-owner">${ownerView(fault, reader)} ${heldView(fault, quiet, reader)}</p>` : null
}
${actionsView(fault, context)}${notesView(fault, context)}
${remedyView(fault, isExpanded)}
<details id="${id}-evidence"><summary>Evidence: ${counted(first.evidence.length, 'finding')}</summary>
${partsOf(evidenceSection(first))}</details>
</article>`;
}

/** Without what the verdict tells: the whole impact of the only fault, or else its first sentence. */
function impactView({ id, causes: [{ impact }] }: Fault, told: CardsContext['told']): Markup | null {
  if (told?.isOnly === true) return null;
  const text = told === null ? impact : restOfImpact({ impact });
  return text === '' ? null : markup`<p id="${id}-impact"><span class="quiet">Impact</span> ${breakable(text)}</p>`;
}

function summaryView({ id, causes }: Fault): Markup | null {
  const [{ summary }, ...others] = causes;
  const title = `${groupHeadline(causes)}.`;
  const rest = summary.startsWith(title) ? summary.slice(title.length).trim() : summary;
  return rest === ''
    ? null
    : markup`<p id="${id}-summary">${others.length === 0 ? null : 'For example: '}${breakable(rest)}</p>`;
}

function remedyView({ id, causes }: Fault, isExpanded: boolean): Markup {
  const [{ remedySteps, subject }, ...others] = causes;
  const note =
    others.length === 0 ? null : markup`<p class="quiet">The steps and commands are for ${breakable(subject)}.</p>`;
  const count = counted(remedySteps.length, 'step');
  return markup`<details id="${id}-todo"${isExpanded ? markup` open` : null}>
<summary id="${id}-steps"><h3>What to do: ${count}</h3></summary>
<div id="${id}-remedy">${note}${partsOf(remedySection({ remedySteps }))}</div></details>`;
}

const MOST_NAMES = 3;

function subjectsView({ id, causes, incidents }: Fault): Markup {
  const pageOf = (subject: string): Incident | undefined => incidents.find(({ cause }) => cause.subject === subject);
  const names = nameList(
    causes.map(({ subject }) => subject),
    MOST_NAMES,
  );
  return markup`<details id="${id}-subjects"><summary>${affected(causes)}: ${names}</summary>
<ul class="subjects">${causes.map(({ subject }) => {
    const incident = pageOf(subject);
    return markup`<li>${
      incident === undefined
        ? subjectView(subject)
        : markup`<a href="incidents/${encodeURIComponent(incident.id)}">${subjectView(subject)}</a>`
    }</li>`;
  })}</ul></details>`;
}

function actionsView({ id, causes, incidents }: Fault, { mayChange, controlSocket }: CardsContext): Markup {
  const [{ id: cause }] = causes;
  const [incident] = incidents;
  if (incident === undefined)
    return markup`<div id="${id}-actions" class="actions"><a href="runbooks/${cause}">Runbook</a></div>`;
  const page = `incidents/${encodeURIComponent(incident.id)}`;
  const runbook = markup`<a href="runbooks/${cause}?incident=${encodeURIComponent(incident.id)}">Runbook</a>`;
  const left = incidents.filter(({ acknowledgement }) => acknowledgement === null);
  const ids = left.map((one) => one.id).join(',');
  const all = left.length === 1 ? '' : ` all ${String(left.length)}`;
  const acknowledge =
    mayChange && left.length > 0
      ? markup`<form method="post" action="incidents/acknowledge">
<input type="hidden" name="incidents" value="${ids}"><button>Acknowledge${all}</button></form>`
      : null;
  const isSilenceOnly = mayChange || left.length === 0;
  if (causes.length > 1) {
    const what = isSilenceOnly ? 'Silence' : 'Acknowledge or silence';
    const how = mayChange ? silenceForm(id, cause) : commandsView({ id: cause, subject: '' }, incidents, controlSocket);
    return markup`<div id="${id}-actions" class="actions">${acknowledge}${runbook}</div>
<details id="${id}-silence"><summary>${what} ${cause}, for everything that is affected</summary>${how}</details>`;
  }
  const words = isSilenceOnly ? 'Silence, timeline' : 'Acknowledge, silence, timeline';
  return markup`<div id="${id}-actions" class="actions">${acknowledge}<a href="${page}">${words}</a>${runbook}</div>`;
}

function silenceForm(id: string, cause: string): Markup {
  return markup`<form id="${id}-silence-form" method="post" action="incidents/silence">
<input type="hidden" name="cause" value="${cause}">
${durationField()}<label>Reason <input name="comment" required maxlength="${MAX_COMMENT}"></label>
<button>Silence</button></form>`;
}

function notesView({ id, incidents }: Fault, context: IncidentContext): Markup | null {
  const notes = notesOf(incidents, context);
  return notes === null ? null : markup`<p id="${id}-notes" class="quiet">${notes}</p>`;
}
