import { titleOf } from '../../checks/registry.ts';
import { counted } from '../../core/visible-text.ts';
import { breakable, type Content, type Markup, markup, subjectView } from '../../document/html.ts';
import { STATE_TONES, stateWord } from '../../document/states.ts';
import type { Finding, PreconditionStatus } from '../../engine/model.ts';
import { badge, moment, more, type Reader } from './document.ts';
import { type Fault, linkTo } from './faults.ts';
import { RANK } from './route-map.ts';

const MAX_FINDINGS = 20;

interface ChecklistContext {
  readonly faults: readonly Fault[];
  readonly reader: Reader;
}

/** What needs attention comes first. The rest is folded. */
export function checklistView(preconditions: readonly PreconditionStatus[], context: ChecklistContext): Markup {
  const of = (...states: readonly PreconditionStatus['state'][]): readonly PreconditionStatus[] =>
    preconditions.filter(({ state }) => states.includes(state));
  const [fine, absent] = [of('ok'), of('not-configured')];
  const others = of('broken', 'blocked', 'unknown', 'warning').toSorted(
    (a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state),
  );
  return markup`<section class="card" aria-labelledby="checklist-title">
<h2 id="checklist-title">Preconditions</h2>
${listView(others, context)}
${fine.length === 0 ? null : markup`<details id="checks-ok"><summary>${counted(fine.length, 'check')} OK</summary>${listView(fine, context)}</details>`}
${
  absent.length === 0
    ? null
    : markup`<details id="checks-absent"><summary>Not configured: ${absent.map(({ id }) => titleOf(id)).join(', ')}</summary>${listView(absent, context)}</details>`
}
</section>`;
}

function listView(statuses: readonly PreconditionStatus[], context: ChecklistContext): Markup | null {
  if (statuses.length === 0) return null;
  return markup`<ul class="checklist">${statuses.map((status) => itemView(status, context))}</ul>`;
}

function itemView(status: PreconditionStatus, context: ChecklistContext): Markup {
  const { id, state, findings } = status;
  const notes = findings.filter(({ level }) => level === 'note');
  const faults = findings.filter(({ level }) => level !== 'note');
  return markup`<li id="${id}" class="${STATE_TONES[state]}">
<span class="name">${titleOf(id)}</span>${badge(STATE_TONES[state], stateWord(status))}
<div class="said">${saidOf(status, context)}${notes
    .slice(0, MAX_FINDINGS)
    .map(
      (note) => markup`<p class="quiet">${breakable(`${note.subject}: ${note.claim}`)}</p>`,
    )}${findingsView(id, faults, context.reader)}</div>
</li>`;
}

/** A card says what is broken, so the list only leads to it. */
function saidOf({ id, summary }: PreconditionStatus, { faults }: ChecklistContext): Content {
  const own = faults.filter(({ causes }) => causes.some(({ precondition }) => precondition === id));
  if (own.length === 0) return markup`<p>${breakable(summary)}</p>`;
  return markup`<p>${own.map(
    (fault, index) =>
      markup`<a href="${linkTo(fault, faults)}">Cause and remedy${own.length === 1 ? '' : ` ${String(index + 1)}`}</a> `,
  )}</p>`;
}

function findingsView(id: string, faults: readonly Finding[], reader: Reader): Markup | null {
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
