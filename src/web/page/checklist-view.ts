import type { PreconditionStatus } from '../../engine/diagnosis.ts';
import type { Finding } from '../../engine/finding.ts';
import { counted } from '../../core/counted.ts';
import { breakable, type Markup, markup, subjectView } from './markup.ts';
import { titleOf } from '../../checks/registry.ts';
import { more } from './more.ts';
import { badge, STATE_TONES, STATE_WORDS } from './signs.ts';
import type { Reader } from './time-text.ts';

/** More findings of one precondition are only counted: `/api/v1/status` has them all. */
const MAX_FINDINGS = 20;

/** Every precondition, in the order of the path. */
export function checklistView(preconditions: readonly PreconditionStatus[], reader: Reader): Markup {
  return markup`<section class="card" aria-labelledby="checklist-title">
<h2 id="checklist-title">Preconditions</h2>
<ul class="checklist">${preconditions.map((status) => itemView(status, reader))}</ul>
</section>`;
}

function itemView({ id, state, summary, findings }: PreconditionStatus, reader: Reader): Markup {
  const notes = findings.filter(({ level }) => level === 'note');
  const faults = findings.filter(({ level }) => level !== 'note');
  return markup`<li id="${id}" class="${STATE_TONES[state]}">
<span class="name">${titleOf(id)}</span>${badge(STATE_TONES[state], STATE_WORDS[state])}
<div class="said"><p>${breakable(summary)}</p>${notes
    .slice(0, MAX_FINDINGS)
    .map(
      (note) => markup`<p class="quiet">${breakable(`${note.subject}: ${note.claim}`)}</p>`,
    )}${faultsView(id, faults, reader)}</div>
</li>`;
}

function faultsView(id: string, faults: readonly Finding[], reader: Reader): Markup | null {
  if (faults.length === 0) return null;
  return markup`<details id="${id}-findings"><summary>${counted(faults.length, 'finding')}</summary>
<ul class="findings">${faults
    .slice(0, MAX_FINDINGS)
    .map((finding) => findingView(finding, reader))}</ul>${more(faults.length - MAX_FINDINGS, 'status')}</details>`;
}

/** The claim, and in full below it what it rests on: names of certificates, words of others, where and when. */
function findingView(finding: Finding, { zone }: Reader): Markup {
  const { rule, subject, claim, expected, actual, quote, facts, at } = finding;
  const rows: readonly (readonly [title: string, text: string | undefined])[] = [
    ['Expected', expected],
    ['Seen', actual],
    ['Verbatim', quote !== undefined && !actual.includes(quote) ? quote : undefined],
    ['Address', facts?.address],
    ['Last seen', at === undefined ? undefined : zone.text(at)],
  ];
  return markup`<li><p>${subjectView(subject)} <code class="quiet">${rule}</code></p>
<p>${breakable(claim)}</p>
<dl>${rows.map(([title, text]) =>
    text === undefined ? null : markup`<div><dt>${title}</dt><dd>${breakable(text)}</dd></div>`,
  )}</dl></li>`;
}
