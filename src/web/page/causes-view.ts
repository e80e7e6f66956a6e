import type { Cause } from '../../engine/cause.ts';
import { identityOf } from './identity.ts';
import { type Markup, markup } from './markup.ts';
import { remedyView } from './remedy-view.ts';
import { titleOf } from '../../checks/registry.ts';
import { badge, SEVERITY_TONES, SEVERITY_WORDS } from './signs.ts';

/** Each cause: what it is, what users feel, how it is known, what to do. */
export function causesView(causes: readonly Cause[]): Markup {
  return markup`${causes.map(causeView)}`;
}

function causeView(cause: Cause): Markup {
  const tone = SEVERITY_TONES[cause.severity];
  const id = `cause-${identityOf([cause.id, cause.subject])}`;
  return markup`<article id="${id}" class="card cause ${tone}" aria-labelledby="${id}-title">
<header>${badge(tone, SEVERITY_WORDS[cause.severity])}${
    cause.confidence === 'suspected' ? markup`<span class="tag">suspected</span>` : null
  }<code class="tag">${cause.id}</code><span class="subject">${cause.subject}</span></header>
<h2 id="${id}-title">${cause.summary}</h2>
<p class="impact"><strong>Impact</strong> ${cause.impact}</p>
<div class="columns">
<section><h3>Evidence</h3><ul class="evidence">${cause.evidence.map(
    (line) => markup`<li>${line}</li>`,
  )}</ul>${consequences(cause)}</section>
<section><h3>What to do</h3>${remedyView(cause.remedySteps)}</section>
</div>
</article>`;
}

function consequences({ consequences: ids }: Cause): Markup | null {
  if (ids.length === 0) return null;
  return markup`<p class="quiet">Because of it these cannot be judged: ${ids.map(titleOf).join(', ')}</p>`;
}
