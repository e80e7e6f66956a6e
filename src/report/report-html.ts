import { printPlain } from '../config/print.ts';
import { type Content, type Markup, markup, preformatted, toHtml } from '../web/page/markup.ts';
import { type ticketItems, ticketView } from './add-by-hand.ts';
import { checklistView } from './checklist-view.ts';
import { chainsView, excerptsView, issuersView, timelineView } from './evidence-view.ts';
import { firstPage, otherCasesView } from './first-page.ts';
import { MASKED_KINDS } from '../text/mask.ts';
import { type ReportCase, reportCases } from './report-cases.ts';
import type { ReportData } from './report-data.ts';
import { REPORT_STYLE } from './report-style.ts';

/** What the page is made of, beside its data. */
export interface PageTexts {
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
