import { verdictWords } from '../checks/verdict-words.ts';
import { printPlain } from '../config/print.ts';
import type { ChecklistItem } from '../document/checklist.ts';
import { type Content, type Markup, markup, preformatted, toHtml, partsOf } from '../document/html.ts';
import { SEVERITY_TONES, SEVERITY_WORDS, STATE_TONES, stateWord, VERDICT_TONES } from '../document/states.ts';
import { type ticketItems, ticketView } from './add-by-hand.ts';
import { MASKED_KINDS } from '../text/mask.ts';
import { type ReportCase, reportCases, lasts, type CaseSpan } from './report-cases.ts';
import type { ReportData } from './report-data.ts';
import { MARKS } from './report-text.ts';
import { counted } from '../core/visible-text.ts';
import { utcText } from '../core/time-text.ts';
import type { SeenIssuer, CertificateJson } from './seen.ts';
import type { Finding } from '../engine/model.ts';
import { inSentence, quotation } from '../engine/words.ts';
import { type Section, sectionOf } from '../document/document.ts';
import { evidenceSection, impactSection, remedySection, timelinePart } from '../document/incident-story.ts';
import { historyEvents, type LogExcerpts, type MaskedHistory } from './timeline.ts';

interface PageTexts {
  readonly answers: string;
  readonly byHand: ReturnType<typeof ticketItems>;
  readonly checklist: readonly ChecklistItem[];
  readonly files: readonly string[];
}

/**
 * For screens, phones and paper, without scripts or external resources. The main text is followed by collapsed
 * appendices, and no information is repeated.
 */
export function reportHtml(data: ReportData, history: MaskedHistory, texts: PageTexts): string {
  const { site, writtenAt } = data;
  const cases = reportCases({ ...data, incidents: history.incidents });
  const appendices = appendicesOf(data, cases, { history, ...texts });
  return toHtml(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>ftm-watch report: ${site}, ${writtenAt}</title>
${REPORT_STYLE}
</head>
<body>
<main>
${firstPage(data, cases)}
<nav aria-label="Appendices"><h2>Appendices</h2><ul>${appendices.map(
    ({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`,
  )}</ul></nav>
${appendices.map(appendixView)}
</main>
</body>
</html>
`);
}

interface Appendix {
  readonly id: string;
  readonly title: string;
  readonly content: Content;
}

function appendicesOf(
  data: ReportData,
  cases: readonly ReportCase[],
  { history, answers, byHand, checklist, files }: PageTexts & { readonly history: MaskedHistory },
): readonly Appendix[] {
  const others = cases.slice(1);
  const said = data.check.preconditions.map(({ summary }) => summary);
  const { chains, issuers, logExcerpts, configuration } = data;
  return [
    ...(others.length === 0 ? [] : [{ id: 'others', title: 'Other causes', content: otherCasesView(others) }]),
    { id: 'by-hand', title: 'Files to add for Fortinet TAC', content: ticketView(byHand) },
    { id: 'checklist', title: 'Checklist', content: checklistView(checklist) },
    { id: 'certificates', title: 'Certificates', content: [issuersView(issuers), chainsView(chains, said)] },
    { id: 'timeline', title: 'Timeline', content: timelineView(history) },
    { id: 'log', title: 'Log lines', content: excerptsView(logExcerpts) },
    { id: 'answers', title: 'Answers', content: markup`<pre>${preformatted(answers)}</pre>` },
    { id: 'versions', title: 'Versions', content: versionsView(data) },
    { id: 'config', title: 'Configuration', content: markup`<pre>${preformatted(printPlain(configuration))}</pre>` },
    { id: 'masked', title: 'Removed data', content: maskedView(data) },
    {
      id: 'files',
      title: 'Files',
      content: markup`<ul>${files.map((file) => markup`<li><code>${file}</code></li>`)}</ul>`,
    },
  ];
}

/** Expands when the reader follows a link to its content (HTML Standard, "ancestor revealing algorithm"). */
function appendixView({ id, title, content }: Appendix): Markup {
  return markup`<details class="appendix"><summary><h2>${title}</h2></summary><div id="${id}">${content}</div></details>`;
}

function versionsView({ versions: { ftmWatch, node, openssl, os } }: ReportData): Markup {
  return markup`<dl><dt>ftm-watch</dt><dd>${ftmWatch}</dd><dt>Node</dt><dd>${node}</dd><dt>OpenSSL</dt>
<dd>${openssl}</dd><dt>System</dt><dd>${os}</dd></dl>`;
}

function maskedView({ masked }: ReportData): Markup {
  return markup`<p>Passwords, keys, tokens and the paths of webhook and heartbeat URLs are not included in this report.
The following data was masked in log lines, server responses, the history and the configuration. Serial numbers,
addresses, host names and certificates are included. Names in free text are not always recognized, so check the log
lines and responses before you send the report.</p>
<table><thead><tr><th>Data</th><th>Count</th></tr></thead><tbody>${MASKED_KINDS.map(
    ([kind, words]) => markup`<tr><td>${words}</td><td>${masked[kind]}</td></tr>`,
  )}</tbody></table>`;
}

/** Maximum number of other faults on the first page. The appendix lists all of them. */
const SHOWN_OTHERS = 6;

/**
 * The page for the firewall team or the vendor, with the most important fault in full and a list of the other faults.
 */
function firstPage({ check, site, writtenAt, period }: ReportData, cases: readonly ReportCase[]): Markup {
  const [first, ...others] = cases;
  const { look, text } = verdictWords(check);
  const from = period.since === null ? 'all stored data' : `from ${timeText(period.since)}`;
  return markup`<header>
<p class="quiet">ftm-watch report · ${site} · created ${timeText(writtenAt)} · ${from} until ${timeText(period.until)}</p>
${first === undefined ? nothing(check) : headline(first)}
<p><strong class="${VERDICT_TONES[look]}">${text}</strong> now, at ${timeText(check.at)}</p>
</header>
${first === undefined ? null : caseFacts(first)}
${others.length === 0 ? null : othersView(others)}`;
}

function headline(one: ReportCase): Markup {
  if (lasts(one)) return markup`<h1 class="${SEVERITY_TONES[one.cause.severity]}">${one.cause.summary}</h1>`;
  const [latest] = one.spans;
  const isOver = latest?.until !== null;
  const when = latest === undefined ? null : markup`<p>The fault was seen ${timesText(latest)}.</p>`;
  return markup`<h1 class="good">${isOver ? 'Resolved' : 'Not seen now'}: ${quotation(one.cause.summary)}</h1>${when}`;
}

function nothing({ ready }: ReportData['check']): Markup {
  return markup`<h1 class="${VERDICT_TONES[ready]}">No faults were found</h1>`;
}

function othersView(others: readonly ReportCase[]): Markup {
  const more = others.length - SHOWN_OTHERS;
  return markup`<section><h2>Other faults</h2><ul>${others
    .slice(0, SHOWN_OTHERS)
    .map(otherView)}</ul>${more > 0 ? markup`<p>${counted(more, 'more fault')} in the appendix.</p>` : null}</section>`;
}

function otherView({ cause, spans }: ReportCase, index: number): Markup {
  const [latest] = spans;
  return markup`<li><a href="#case-${index + 1}">${cause.summary}</a>${
    latest === undefined ? null : markup` <span class="quiet">${timesText(latest)}</span>`
  }</li>`;
}

function otherCasesView(others: readonly ReportCase[]): Markup {
  return markup`${others.map(
    (one, index) =>
      markup`<h3 id="case-${index + 1}" class="${SEVERITY_TONES[one.cause.severity]}">${one.cause.id}: ${
        one.cause.subject
      }</h3>${caseFacts(one)}`,
  )}`;
}

const SHOWN_SPANS = 3;

/**
 * Must be understandable to readers who did not experience the fault. If the fault has ended, the text explains what
 * happened and what to do if it returns.
 */
function caseFacts(one: ReportCase): Markup {
  const { cause, spans } = one;
  const isOver = !lasts(one);
  const { id, severity, confidence } = cause;
  return markup`<dl class="facts">
${termsView(impactSection(cause, isOver))}
<dt>Where</dt><dd>${cause.subject}</dd>
<dt>${isOver ? 'When' : 'Since'}</dt><dd>${spansView(spans)}</dd>
${whoView(one)}
<dt>Cause</dt><dd>${SEVERITY_WORDS[severity]}, ${confidence} · <code>${id}</code></dd>
${termsView([...evidenceSection(cause), ...remedySection(cause, isOver)])}
</dl>`;
}

function termsView(sections: readonly Section[]): Markup {
  return markup`${sections.map((section) => markup`<dt>${section.title}</dt><dd>${partsOf([section])}</dd>\n`)}`;
}

function timesText({ since, until, lastSeen, lasted, gone }: CaseSpan): string {
  if (until === null && !gone) return `${timeText(since)} to now`;
  const times = `from ${timeText(since)} to ${timeText(lastSeen)}`;
  return lasted === null
    ? `${times}, but not when this report was created; the incident is still open`
    : `${times}, ${lasted}`;
}

function spansView(spans: readonly CaseSpan[]): Markup {
  const [latest] = spans;
  if (latest?.incident === null && spans.length === 1)
    return markup`${timeText(latest.since)}, when this report was created. The start is unknown, because no daemon has stored it.`;
  const lines = spans.slice(0, SHOWN_SPANS).map((span) => markup`<li>${timesText(span)}</li>`);
  const more = spans.length - SHOWN_SPANS;
  return markup`<ul class="plain">${lines}</ul>${more > 0 ? markup`and ${counted(more, 'earlier occurrence')}` : null}`;
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

/** `2026-11-24 13:00:05 UTC` */
function timeText(iso: string): string {
  return utcText(Date.parse(iso));
}

function checklistView(items: readonly ChecklistItem[]): Markup {
  return markup`<table><thead><tr><th>Check</th><th>State</th><th>Observations</th></tr></thead>
<tbody>${items.map(itemView)}</tbody></table>`;
}

function itemView(item: ChecklistItem): Markup {
  const { state, title, summary, isTold, notes } = item;
  const word = stateWord(item).toLowerCase();
  const list = notes.length === 0 ? null : markup`<ul>${notes.map(noteView)}</ul>`;
  return markup`<tr><td>${title}</td><td class="${STATE_TONES[state]}">${MARKS[state]} ${word}</td>
<td>${isTold ? 'See the cause.' : summary}${list}</td></tr>`;
}

function noteView({ subject, claim, expected }: Finding): Markup {
  return markup`<li class="quiet">${subject}: ${claim} Expected: ${inSentence(expected)}.</li>`;
}

type Chain = ReportData['chains'][number];

function issuersView(issuers: readonly SeenIssuer[]): Markup | null {
  if (issuers.length === 0) return null;
  return markup`<table><thead><tr><th>Target</th><th>First seen</th><th>Last seen</th><th>Current verdict</th>
<th>Issuer</th></tr></thead><tbody>${issuers.map(
    ({ target, firstSeen, lastSeen, verdict, issuer }) => markup`<tr><td>${target}</td><td>${timeText(firstSeen)}</td>
<td>${timeText(lastSeen)}</td><td>${verdict ?? 'not presented now'}</td><td>${issuer}</td></tr>`,
  )}</tbody></table>`;
}

/**
 * A certificate that was received on several paths is shown only once.
 * @param said text that the page already shows elsewhere
 */
function chainsView(chains: readonly Chain[], said: readonly string[]): Markup {
  if (chains.length === 0) return markup`<p>No certificate was sent in this check.</p>`;
  const told = new Set(said);
  const isNew = (text: string): boolean => !told.has(text) && told.add(text).has(text);
  return markup`${chains.map((chain) => chainView(chain, isNew))}`;
}

type IsNew = (text: string) => boolean;

function chainView({ file, target, way, judgement, certificates, dropped }: Chain, isNew: IsNew): Markup {
  return markup`<h3>${target} · ${way}</h3>
${judgement === null ? null : judgementView(judgement, isNew)}
<p class="quiet"><code>certificates/${file}</code>${
    dropped === 0 ? null : markup`, ${counted(dropped, 'more certificate')} left out (unreadable or over the limit)`
  }</p>
${certificates.map((certificate) => certificateView(certificate, isNew))}`;
}

function judgementView(
  { verdict, confidence, summary, settle }: NonNullable<Chain['judgement']>,
  isNew: IsNew,
): Markup {
  return markup`<p>Verdict: ${verdict} (${confidence}).${isNew(summary) ? ` ${summary}` : null}</p>
${settle !== null && isNew(settle) ? markup`<p>For a definite result, ${settle}.</p>` : null}`;
}

function certificateView(certificate: CertificateJson, isNew: IsNew): Markup {
  const { subject, issuer, notBefore, notAfter, serial, names, key, pin, sha256 } = certificate;
  const id = `sha256-${sha256.replaceAll(':', '')}`;
  if (!isNew(sha256)) return markup`<p><a href="#${id}">Certificate ${serial}</a> (see above)</p>`;
  return markup`<dl id="${id}"><dt>Subject</dt><dd>${subject}</dd><dt>Issuer</dt><dd>${issuer}</dd>
<dt>Valid</dt><dd>${notBefore} to ${notAfter}</dd>
${names.length === 0 ? null : markup`<dt>Names</dt><dd>${names.join(', ')}</dd>`}
<dt>Serial</dt><dd>${serial}</dd><dt>Key</dt><dd>${key}, <code>${pin}</code></dd><dt>SHA-256</dt>
<dd><code>${sha256}</code></dd></dl>`;
}

function timelineView(history: MaskedHistory): Markup {
  const events = historyEvents(history, utcText);
  const note = history.note ?? (events.length === 0 ? 'No incidents are stored' : null);
  const lines = note === null ? [] : [`${note}.`];
  return partsOf(sectionOf('Timeline', { kind: 'text', lines }, timelinePart(events, utcText, { ofSeveral: true })));
}

function excerptsView({ note, dropped, lines }: LogExcerpts): Markup {
  return markup`${note === null ? null : markup`<p>${note}.</p>`}
${dropped === 0 ? null : markup`<p>${counted(dropped, 'more line')} matched, but only the latest lines of each kind are stored.</p>`}
${lines.map(
  ({ at, from, signature, count, line }) =>
    markup`<p class="quiet">${at} · ${from} · <code>${signature}</code> · ×${count}</p><pre>${line}</pre>`,
)}`;
}

/** Embedded, because the report must be readable offline and on paper. */
const REPORT_STYLE: Markup = markup`<style>
:root { color-scheme: light dark; --text: #18212d; --quiet: #566274; --line: #d9dfe7; --sunk: #f2f4f7; --page: #fff;
  --bad: #b52016; --warn: #925200; --good: #19774a; --unsure: #6a4bb8; --none: #616c7c; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9f0; --quiet: #9ba8b8; --line: #2b3643; --sunk: #1a222c; --page: #0e1319;
    --bad: #ff7d73; --warn: #f0b54a; --good: #4cc58c; --unsure: #b9a0f8; --none: #8794a5; }
}
* { box-sizing: border-box; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p, ul, ol, dl { margin: .25rem 0 .5rem; }
ul, ol { padding-left: 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dt, .quiet { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
pre { margin: .5rem 0; padding: .5rem .75rem; background: var(--sunk); border-radius: 4px; white-space: pre-wrap;
  font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font: .875em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
/* Only the free text in the last column is broken anywhere. Otherwise, the other columns would be too narrow. */
th, td:not(:last-child) { white-space: nowrap; }
.bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); }
.unsure { color: var(--unsure); } .none, .wait, .info { color: var(--none); }
.facts { gap: .5rem 1rem; } .facts > dd > :first-child { margin-top: 0; }
.plain { list-style: none; padding: 0; } nav ul { columns: 3 10rem; }
a { color: inherit; } summary { cursor: pointer; min-height: 24px; } summary h2 { display: inline; border: 0; }
.appendix { margin-top: 1rem; padding-top: .5rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  body { padding: .75rem; }
  dl, .facts { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  table, tbody, tr, td { display: block; } thead { position: absolute; clip-path: inset(50%); }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td, td:not(:last-child) { padding: 0; border: 0; white-space: normal; }
}
@media print {
  :root { color-scheme: light; --text: #000; --quiet: #444; --line: #bbb; --sunk: #f4f4f4; --page: #fff;
    --bad: #a01208; --warn: #6d3c00; --good: #0d5c36; --unsure: #4a2f93; --none: #444; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } pre { font-size: 8.5pt; }
  h2, h3 { break-after: avoid; } tr, li { break-inside: avoid; } main > .appendix:first-of-type { break-before: page; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
</style>`;
