import { headline } from '../../checks/headline.ts';
import { titleOf } from '../../checks/registry.ts';
import { type Cause, type Block, blocksOf, headOf, type RemedyStep } from '../../engine/model.ts';
import { type Incident, sameCause } from '../../engine/incident/incident.ts';
import { identityOf } from './certificates-view.ts';
import {
  breakable,
  type Markup,
  markup,
  subjectView,
  badge,
  SEVERITY_TONES,
  SEVERITY_WORDS,
  preformatted,
} from './document.ts';
import { foldEvidence } from '../../engine/words.ts';

/** What the causes are shown with. */
interface CausesContext {
  readonly incidents: readonly Incident[];
  /** The sentence that stands above them already. */
  readonly conclusion: string;
}

/** Each cause: what it is, what to do, what users feel, and, folded, how it is known. */
export function causesView(causes: readonly Cause[], context: CausesContext): Markup {
  return markup`${causes.map((cause) => causeView(cause, context))}`;
}

function causeView(cause: Cause, { incidents, conclusion }: CausesContext): Markup {
  const tone = SEVERITY_TONES[cause.severity];
  const id = `cause-${identityOf([cause.id, cause.subject])}`;
  const incident = incidents.find((one) => one.status === 'open' && sameCause(one.cause, cause));
  return markup`<article id="${id}" class="card cause ${tone}" aria-labelledby="${id}-title">
<header>${badge(tone, SEVERITY_WORDS[cause.severity])}${
    cause.confidence === 'suspected' ? markup`<span class="tag">suspected</span>` : null
  }<code class="tag">${cause.id}</code>${subjectView(cause.subject)}</header>
<h2 id="${id}-title">${breakable(headline(cause))}</h2>${cause.summary === conclusion ? null : markup`<p>${breakable(cause.summary)}</p>`}
<section><h3>What to do</h3>${remedyView(cause.remedySteps)}</section>
<p class="impact"><strong>Impact</strong> ${breakable(cause.impact)}</p>
<p class="links">${
    incident === undefined
      ? null
      : markup`<a href="incidents/${encodeURIComponent(incident.id)}">Acknowledge, silence, timeline</a> `
  }<a href="runbooks/${cause.id}">Runbook</a></p>
<details id="${id}-evidence"><summary>Evidence</summary>${evidenceView(cause.evidence)}${consequences(cause)}</details>
</article>`;
}

function consequences({ consequences: ids }: Cause): Markup | null {
  if (ids.length === 0) return null;
  return markup`<p class="quiet">Skipped because of it: ${ids.map(titleOf).join(', ')}</p>`;
}

/** Lines of evidence, what proves the most first and open. */
export function evidenceView(evidence: readonly string[]): Markup {
  const { shown, folded } = foldEvidence(evidence);
  const rest = markup`<details><summary>${folded.length} more</summary>${listView(folded)}</details>`;
  return markup`${listView(shown)}${folded.length === 0 ? null : rest}`;
}

function listView(lines: readonly string[]): Markup {
  return markup`<ul class="evidence">${lines.map((line) => markup`<li>${breakable(line)}</li>`)}</ul>`;
}

/** A remedy as a list: each block of commands is an element of its own, with nothing in it that is not copied. */
export function remedyView(steps: readonly RemedyStep[]): Markup {
  return markup`<ol class="remedy">${steps.map(
    (step) => markup`<li>${breakable(step.text)}${blocksOf(step).map(blockView)}</li>`,
  )}</ol>`;
}

/** Longer blocks are folded: the step after them is what is read next. */
const SHOWN_LINES = 4;

/** static/copy-buttons.js gives what has `data-copy` a button. */
function blockView(block: Block): Markup {
  const { label, missing, text } = block;
  const commands = markup`<pre class="command" data-copy tabindex="0">${preformatted(text)}</pre>`;
  if (text.split('\n').length <= SHOWN_LINES)
    return markup`<p class="quiet">${breakable(headOf(block))}</p>${commands}`;
  const first = missing === '' ? null : markup`<p class="quiet">${missing}</p>`;
  return markup`<details><summary>${label}</summary>${first}${commands}</details>`;
}
