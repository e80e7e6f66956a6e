import { counted } from '../../core/visible-text.ts';
import { type ChecklistItem, checklistOf } from '../../document/checklist.ts';
import { breakable, type Content, type Markup, markup, subjectView } from '../../document/html.ts';
import { STATE_TONES, stateWord } from '../../document/states.ts';
import type { Diagnosis, Finding } from '../../engine/model.ts';
import { badge, moment, more, type Reader } from './document.ts';
import { type Fault, linkTo } from './faults.ts';

const MAX_FINDINGS = 20;

export function checklistView(diagnosis: Diagnosis, faults: readonly Fault[], reader: Reader): Markup {
  const { items, gathered } = checklistOf(diagnosis, 'worst-first');
  return markup`<section class="card" aria-labelledby="checklist-title">
<h2 id="checklist-title">Preconditions</h2>
${listView(items, faults, reader)}
${gathered.map(
  ({ state, title, names, items: folded }) =>
    markup`<details id="checks-${state}"><summary>${state === 'ok' ? title : `${title}: ${names}`}</summary>${listView(folded, faults, reader)}</details>`,
)}
</section>`;
}

function listView(items: readonly ChecklistItem[], faults: readonly Fault[], reader: Reader): Markup | null {
  if (items.length === 0) return null;
  return markup`<ul class="checklist">${items.map((item) => itemView(item, faults, reader))}</ul>`;
}

function itemView(item: ChecklistItem, faults: readonly Fault[], reader: Reader): Markup {
  const { id, state, title, summary, isTold, notes } = item;
  return markup`<li id="${id}" class="${STATE_TONES[state]}">
<span class="name">${title}</span>${badge(STATE_TONES[state], stateWord(item))}
<div class="said">${linksView(id, faults)}${isTold ? null : markup`<p>${breakable(summary)}</p>`}
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
  return markup`<p>${own.map(
    (fault, index) =>
      markup`<a href="${linkTo(fault, faults)}">Cause and remedy${own.length === 1 ? '' : ` ${String(index + 1)}`}</a> `,
  )}</p>`;
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
