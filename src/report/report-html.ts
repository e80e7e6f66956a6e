import { printPlain } from '../config/print.ts';
import { type Content, type Markup, markup, preformatted, toHtml } from '../document/html.ts';
import { type ticketItems, ticketView } from './add-by-hand.ts';
import {
  checklistView,
  chainsView,
  excerptsView,
  issuersView,
  timelineView,
  firstPage,
  otherCasesView,
} from './report-views.ts';
import { MASKED_KINDS } from '../text/mask.ts';
import { type ReportCase, reportCases } from './report-cases.ts';
import type { ReportData } from './report-data.ts';

/** What the page is made of, beside its data. */
interface PageTexts {
  /** Every answer of the round, a line each. */
  readonly answers: string;
  /** What an administrator has to add. */
  readonly byHand: ReturnType<typeof ticketItems>;
  /** Names of the other files in the archive. */
  readonly files: readonly string[];
}

/**
 * The report as a page that fetches nothing and runs nothing, for a screen, a phone or paper: first what people read,
 * then folded appendices. Nothing stands in it twice.
 */
export function reportHtml(data: ReportData, texts: PageTexts): string {
  const { site, writtenAt } = data;
  const cases = reportCases(data);
  const appendices = appendicesOf(data, cases, texts);
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
  { answers, byHand, files }: PageTexts,
): readonly Appendix[] {
  const others = cases.slice(1);
  const said = data.check.preconditions.map(({ summary }) => summary);
  const { check, chains, issuers, timeline, logExcerpts, configuration } = data;
  return [
    ...(others.length === 0 ? [] : [{ id: 'others', title: 'Other causes', content: otherCasesView(others) }]),
    { id: 'by-hand', title: 'For Fortinet TAC: to add by hand', content: ticketView(byHand) },
    { id: 'checklist', title: 'Checklist', content: checklistView(check) },
    { id: 'certificates', title: 'Certificates', content: [issuersView(issuers), chainsView(chains, said)] },
    { id: 'timeline', title: 'Timeline', content: timelineView(timeline) },
    { id: 'log', title: 'Log lines', content: excerptsView(logExcerpts) },
    { id: 'answers', title: 'Answers', content: markup`<pre>${preformatted(answers)}</pre>` },
    { id: 'versions', title: 'Versions', content: versionsView(data) },
    { id: 'config', title: 'Configuration', content: markup`<pre>${preformatted(printPlain(configuration))}</pre>` },
    { id: 'masked', title: 'What was taken out', content: maskedView(data) },
    {
      id: 'files',
      title: 'Files',
      content: markup`<ul>${files.map((file) => markup`<li><code>${file}</code></li>`)}</ul>`,
    },
  ];
}

/** A link to what is inside unfolds it (HTML, "ancestor revealing algorithm"). */
function appendixView({ id, title, content }: Appendix): Markup {
  return markup`<details class="appendix"><summary><h2>${title}</h2></summary><div id="${id}">${content}</div></details>`;
}

function versionsView({ versions: { ftmWatch, node, openssl, os } }: ReportData): Markup {
  return markup`<dl><dt>ftm-watch</dt><dd>${ftmWatch}</dd><dt>Node</dt><dd>${node}</dd><dt>OpenSSL</dt>
<dd>${openssl}</dd><dt>System</dt><dd>${os}</dd></dl>`;
}

function maskedView({ masked }: ReportData): Markup {
  return markup`<p>Passwords, keys, tokens and the paths of web hook and heartbeat URLs are not in this report.
In log lines, in what servers answered, in the history and the configuration these were masked; serial numbers,
addresses, host names and certificates stay. A name in the middle of free text cannot always be recognised: read log
lines and answers before you send them.</p>
<table><thead><tr><th>What</th><th>Times</th></tr></thead><tbody>${MASKED_KINDS.map(
    ([kind, words]) => markup`<tr><td>${words}</td><td>${masked[kind]}</td></tr>`,
  )}</tbody></table>`;
}

/** The style of the report, in the file itself: it is read where nothing can be fetched, on a phone, and on paper. */
const REPORT_STYLE: Markup = markup`<style>
:root { color-scheme: light dark; --text: #18212d; --quiet: #566274; --line: #d9dfe7; --sunk: #f2f4f7; --page: #fff;
  --bad: #be2419; --warn: #925200; --good: #19774a; --unsure: #6a4bb8; --none: #616c7c; }
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
/* Only free text, which stands last, is broken anywhere: it would leave the other columns a letter's width. */
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
