import { CHECKS } from '../../checks/registry.ts';
import { counted } from '../../core/visible-text.ts';
import { type ChecklistItem, checklistOf } from '../../document/checklist.ts';
import { breakable, type Content, type Markup, markup, partsOf, subjectView } from '../../document/html.ts';
import { remedySection } from '../../document/incident-story.ts';
import { STATE_TONES, stateWord } from '../../document/states.ts';
import type { Diagnosis, Finding, PreconditionStatus } from '../../engine/model.ts';
import { ANY_SERVER, remedyOf, stepsWhenUnknown } from '../../engine/remedy-words.ts';
import { badge, moment, more, type Reader } from './page-document.ts';
import { type Fault, linkTo } from './faults.ts';

const MAX_FINDINGS = 20;

interface ChecklistContext {
  readonly faults: readonly Fault[];
  /** The verdict tells why they are unknown. */
  readonly unknown: readonly PreconditionStatus[];
  readonly reader: Reader;
}

export function checklistView(diagnosis: Diagnosis, context: ChecklistContext): Markup {
  const { items, gathered } = checklistOf(diagnosis, 'worst-first');
  return markup`<section id="preconditions" class="card" aria-labelledby="checklist-title">
<h2 id="checklist-title">Checks</h2>
${listView('checks', items, context)}
${gathered.map(({ state, title, names, items: folded }) => {
  const id = `checks-${state}`;
  return markup`<details id="${id}"><summary id="${id}-title">${state === 'ok' ? title : `${title}: ${names}`}</summary>
${listView(`${id}-list`, folded, context)}</details>`;
})}
</section>`;
}

function listView(id: string, items: readonly ChecklistItem[], context: ChecklistContext): Markup | null {
  if (items.length === 0) return null;
  return markup`<ul id="${id}" class="checklist">${items.map((item) => itemView(item, context))}</ul>`;
}

function itemView(item: ChecklistItem, { faults, unknown, reader }: ChecklistContext): Markup {
  const { id, state, title, summary, isTold, notes } = item;
  const links = linksView(id, faults);
  const isInVerdict = links === null && unknown.some((status) => status.id === id);
  const said = isInVerdict ? unknownRemedyView(item) : isTold ? null : markup`<p>${breakable(summary)}</p>`;
  return markup`<li id="${id}" class="${STATE_TONES[state]}">
<span class="name">${title}</span>${badge(STATE_TONES[state], stateWord(item))}
<div class="said">${links}${said}
${notes.slice(0, MAX_FINDINGS).map(noteView)}${findingsView(item, reader)}</div>
</li>`;
}

function noteView({ subject, claim }: Finding): Markup {
  return markup`<p class="quiet">${breakable(`${subject}: ${claim}`)}</p>`;
}

/** A card says what is broken, so the list only leads to it. */
function linksView(id: string, faults: readonly Fault[]): Markup | null {
  const own = faults.filter(({ causes }) => causes.some(({ precondition }) => precondition === id));
  if (own.length === 0) return null;
  return markup`<p>${own.map((fault, index) => {
    const number = own.length === 1 ? '' : ` ${String(index + 1)}`;
    return markup`<a href="${linkTo(fault, faults)}">Cause and remedy${number}</a> `;
  })}</p>`;
}

function unknownRemedyView({ id, findings }: ChecklistItem): Markup {
  const steps = CHECKS.filter((check) => check.id === id).flatMap((check) => stepsWhenUnknown(check, findings));
  return markup`<h3>What to do</h3>${partsOf(remedySection(remedyOf(steps, ANY_SERVER)))}`;
}

function findingsView({ id, findings }: ChecklistItem, reader: Reader): Markup | null {
  const faults = findings.filter(({ level }) => level !== 'note');
  if (faults.length === 0) return null;
  return markup`<details id="${id}-findings"><summary>${counted(faults.length, 'finding')}</summary>
<ul class="findings">${faults
    .slice(0, MAX_FINDINGS)
    .map((finding) => findingView(finding, reader))}</ul>${more(faults.length - MAX_FINDINGS, 'status')}</details>`;
}

function findingView(finding: Finding, reader: Reader): Markup {
  const { rule, subject, claim, expected, actual, quote, fullNames = [], facts, at } = finding;
  const rows: readonly (readonly [title: string, content: Content | undefined])[] = [
    ['Expected', breakable(expected)],
    ['Seen', actual === undefined ? undefined : breakable(actual)],
    ['Full names', fullNames.length === 0 ? undefined : fullNames.join('; ')],
    ['Verbatim', quote !== undefined && actual?.includes(quote) !== true ? quote : undefined],
    ['Address', facts?.address],
    ['Last seen', at === undefined ? undefined : moment(at, reader)],
  ];
  return markup`<li><p>${subjectView(subject)} <code class="quiet">${rule}</code></p>
<p>${breakable(claim)}</p>
<dl>${rows.map(([title, content]) =>
    content === undefined ? null : markup`<div><dt>${title}</dt><dd>${content}</dd></div>`,
  )}</dl></li>`;
}
