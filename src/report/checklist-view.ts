import { titleOf } from '../checks/registry.ts';
import type { Cause } from '../engine/cause.ts';
import type { DiagnosisJson, FindingJson, PreconditionJson } from '../engine/diagnosis-json.ts';
import { type Markup, markup } from '../web/page/markup.ts';
import { STATE_TONES, STATE_WORDS } from '../web/page/signs.ts';
import { MARKS } from './report-text.ts';

/** Every precondition with its state, and what was seen unless a cause tells it. */
export function checklistView({ preconditions, causes }: DiagnosisJson): Markup {
  return markup`<table><thead><tr><th>Precondition</th><th>State</th><th>What was seen</th></tr></thead>
<tbody>${preconditions.map((one) => preconditionView(one, causes))}</tbody></table>`;
}

function preconditionView({ id, state, summary, findings }: PreconditionJson, causes: readonly Cause[]): Markup {
  const word = `${MARKS[state]} ${STATE_WORDS[state].toLowerCase()}`;
  // Evidence of a cause stands with it, also what a blocked precondition adds.
  const isTold = state === 'blocked' || causes.some(({ precondition }) => precondition === id);
  const list = isTold ? [] : findings.filter((finding) => !isIn(summary, finding)).map(findingView);
  const seen = causes.some((cause) => cause.summary === summary) ? 'See the cause.' : summary;
  return markup`<tr><td>${titleOf(id)}</td><td class="${STATE_TONES[state]}">${word}</td><td>${seen}${
    list.length === 0 ? null : markup`<ul>${list}</ul>`
  }</td></tr>`;
}

/** A summary of one finding says it in the same words, but for the first letter. */
function isIn(summary: string, { claim, actual }: FindingJson): boolean {
  return [claim, actual].some((text) => summary.toLowerCase().includes(text.toLowerCase()));
}

function findingView({ subject, claim, expected }: FindingJson): Markup {
  return markup`<li class="quiet">${subject}: ${claim} Expected: ${expected}</li>`;
}
