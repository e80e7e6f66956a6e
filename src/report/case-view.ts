import { titleOf } from '../checks/registry.ts';
import { utcText } from '../core/instant-text.ts';
import { type Block, blocksOf, headOf, type RemedyStep } from '../engine/remedy.ts';
import { evidenceView } from '../web/page/evidence-view.ts';
import { type Markup, markup, preformatted } from '../web/page/markup.ts';
import { SEVERITY_WORDS } from '../web/page/signs.ts';
import { type CaseSpan, lasts, type ReportCase } from './report-cases.ts';
import type { SeenIssuer } from './seen-issuers.ts';

/** Lines of a block that are shown; a longer one is folded. */
const OPEN_LINES = 4;
const SHOWN_SPANS = 3;

/**
 * What, where, since when, who, proof and request, for somebody who has to act and was not there. Of what is over it
 * says what was, and what to do should it come back.
 */
export function caseFacts(one: ReportCase): Markup {
  const { cause, spans } = one;
  const names = lasts(one) ? NAMES.lasts : NAMES.over;
  return markup`<dl class="facts">
<dt>${names.what}</dt><dd>${cause.impact}${consequences(one)}</dd>
<dt>Where</dt><dd>${cause.subject}</dd>
<dt>${names.since}</dt><dd>${spansView(spans)}</dd>
${whoView(one)}
<dt>Proof</dt><dd>${evidenceView(cause.evidence)}<p class="quiet">${SEVERITY_WORDS[cause.severity]}, ${
    cause.confidence
  } · <code>${cause.id}</code></p></dd>
<dt>${names.request}</dt><dd><ol>${cause.remedySteps.map(stepView)}</ol></dd>
</dl>`;
}

const NAMES = {
  lasts: { what: 'What', since: 'Since', request: 'Request' },
  over: { what: 'Impact then', since: 'When', request: 'If it comes back' },
} as const;

/** From when to when, as one line. */
export function spanText({ since, until, lastSeen, lasted, gone }: CaseSpan): string {
  if (until === null && !gone) return `${timeText(since)} to now`;
  const times = `from ${timeText(since)} to ${timeText(lastSeen)}`;
  return lasted === null
    ? `${times}, and not when this report looked: its incident is still open`
    : `${times}, ${lasted}`;
}

function consequences({ cause }: ReportCase): Markup | null {
  if (cause.consequences.length === 0) return null;
  return markup` <span class="quiet">Skipped because of it: ${cause.consequences.map(titleOf).join(', ')}.</span>`;
}

function spansView(spans: readonly CaseSpan[]): Markup {
  const [latest] = spans;
  if (latest?.incident === null && spans.length === 1)
    return markup`${timeText(latest.since)}, when this report looked. No daemon has kept how long before.`;
  const lines = spans.slice(0, SHOWN_SPANS).map((span) => markup`<li>${spanText(span)}</li>`);
  const more = spans.length - SHOWN_SPANS;
  return markup`<ul class="plain">${lines}</ul>${more > 0 ? markup`and ${more} times before` : null}`;
}

function whoView({ cause: { product }, issuers }: ReportCase): Markup | null {
  if (product === null && issuers.length === 0) return null;
  return markup`<dt>Who</dt><dd>${product}<ul class="plain">${issuers.map(issuerView)}</ul></dd>`;
}

function issuerView({ name, firstSeen, lastSeen }: SeenIssuer): Markup {
  return markup`<li>Certificates issued by <strong>${name}</strong> were seen from ${timeText(firstSeen)} to ${timeText(
    lastSeen,
  )}.</li>`;
}

function stepView(step: RemedyStep): Markup {
  return markup`<li>${step.text}${blocksOf(step).map(blockView)}</li>`;
}

/** A long one would push what is to be read off the first page. */
function blockView(block: Block): Markup {
  const commands = markup`<pre>${preformatted(block.text)}</pre>`;
  return block.text.split('\n').length > OPEN_LINES
    ? markup`<details><summary>${headOf(block)}</summary>${commands}</details>`
    : markup`<p class="quiet">${headOf(block)}</p>${commands}`;
}

/** `2026-11-24 13:00:05 UTC` of ISO 8601. */
export function timeText(iso: string): string {
  return utcText(Date.parse(iso));
}
