import { foldEvidence } from '../../engine/words/evidence-line.ts';
import { breakable, type Markup, markup } from './markup.ts';

/** Lines of evidence, what proves the most first and open. */
export function evidenceView(evidence: readonly string[]): Markup {
  const { shown, folded } = foldEvidence(evidence);
  const rest = markup`<details><summary>${folded.length} more</summary>${listView(folded)}</details>`;
  return markup`${listView(shown)}${folded.length === 0 ? null : rest}`;
}

function listView(lines: readonly string[]): Markup {
  return markup`<ul class="evidence">${lines.map((line) => markup`<li>${breakable(line)}</li>`)}</ul>`;
}
