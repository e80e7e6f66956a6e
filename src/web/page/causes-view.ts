import { headline } from '../../checks/headline.ts';
import { titleOf } from '../../checks/registry.ts';
import type { Cause } from '../../engine/cause.ts';
import { type Incident, sameCause } from '../../engine/incident/incident.ts';
import { identityOf } from './identity.ts';
import { evidenceView } from './evidence-view.ts';
import { breakable, type Markup, markup, subjectView } from './markup.ts';
import { remedyView } from './remedy-view.ts';
import { badge, SEVERITY_TONES, SEVERITY_WORDS } from './signs.ts';

/** What the causes are shown with. */
export interface CausesContext {
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
