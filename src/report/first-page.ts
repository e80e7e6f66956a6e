import { type Markup, markup } from '../web/page/markup.ts';
import { READINESS_TONES, READINESS_WORDS, SEVERITY_TONES } from '../web/page/signs.ts';
import { caseFacts, spanText, timeText } from './case-view.ts';
import { lasts, type ReportCase } from './report-cases.ts';
import type { ReportData } from './report-data.ts';
import { CONCLUSIONS } from './report-text.ts';

/** More are in the appendix. */
const SHOWN_OTHERS = 6;

/**
 * The page that people read: the one fault that matters, for the firewall team or the vendor; of others that they were
 * there. Everything else is an appendix.
 */
export function firstPage({ check, site, writtenAt, period }: ReportData, cases: readonly ReportCase[]): Markup {
  const [first, ...others] = cases;
  const from = period.since === null ? 'all that is kept' : `from ${timeText(period.since)}`;
  return markup`<header>
<p class="quiet">ftm-watch report · ${site} · written ${timeText(writtenAt)} · ${from} until ${timeText(period.until)}</p>
${first === undefined ? nothing(check) : headline(first)}
<p><strong class="${READINESS_TONES[check.ready]}">${READINESS_WORDS[check.ready]}</strong> now, at ${timeText(check.at)}: ${
    CONCLUSIONS[check.ready]
  }.</p>
</header>
${first === undefined ? null : caseFacts(first)}
${others.length === 0 ? null : othersView(others)}`;
}

function headline(one: ReportCase): Markup {
  if (lasts(one)) return markup`<h1 class="${SEVERITY_TONES[one.cause.severity]}">${one.cause.summary}</h1>`;
  const [latest] = one.spans;
  const isOver = latest?.until !== null;
  const when = latest === undefined ? null : markup`<p>It was seen ${spanText(latest)}.</p>`;
  return markup`<h1 class="good">${isOver ? 'Over' : 'Not seen now'}: ${one.cause.summary}</h1>${when}`;
}

function nothing({ ready }: ReportData['check']): Markup {
  return markup`<h1 class="${READINESS_TONES[ready]}">Nothing was found to be broken</h1>`;
}

function othersView(others: readonly ReportCase[]): Markup {
  const more = others.length - SHOWN_OTHERS;
  return markup`<section><h2>Also</h2><ul>${others
    .slice(0, SHOWN_OTHERS)
    .map(otherView)}</ul>${more > 0 ? markup`<p>${more} more are in the appendix.</p>` : null}</section>`;
}

function otherView({ cause, spans }: ReportCase, index: number): Markup {
  const [latest] = spans;
  return markup`<li><a href="#case-${index + 1}">${cause.summary}</a>${
    latest === undefined ? null : markup` <span class="quiet">${spanText(latest)}</span>`
  }</li>`;
}

/** What of the others is not on the first page. */
export function otherCasesView(others: readonly ReportCase[]): Markup {
  return markup`${others.map(
    (one, index) =>
      markup`<h3 id="case-${index + 1}" class="${SEVERITY_TONES[one.cause.severity]}">${one.cause.id}: ${
        one.cause.subject
      }</h3>${caseFacts(one)}`,
  )}`;
}
