import { printPlain } from '../config/print.ts';
import type { Cause } from '../engine/cause.ts';
import type { PreconditionJson } from '../engine/diagnosis-json.ts';
import { CHECKS, titleOf } from '../checks/registry.ts';
import { type Content, type Markup, markup, preformatted, toHtml } from '../web/page/markup.ts';
import { remedyView } from '../web/page/remedy-view.ts';
import { READINESS_TONES, READINESS_WORDS, SEVERITY_TONES, STATE_TONES, STATE_WORDS } from '../web/page/signs.ts';
import { chainsView, excerptsView, timelineView } from './evidence-view.ts';
import { MASKED_KINDS } from '../text/mask.ts';
import type { ReportData } from './report-data.ts';
import { CONCLUSIONS, MARKS } from './report-text.ts';
import { REPORT_STYLE } from './report-style.ts';

/** What the page is made of, beside its data. */
export interface PageTexts {
  /** Every answer of the round, as the checklist's text has it. */
  readonly answers: string;
  /** Names of the other files in the archive. */
  readonly files: readonly string[];
}

/** The report as a page that fetches nothing and runs nothing, for a screen, a phone or paper. */
export function reportHtml(data: ReportData, { answers, files }: PageTexts): string {
  const { check, site, writtenAt } = data;
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
<p class="quiet">ftm-watch report · ${site} · ${writtenAt}</p>
<h1 class="${READINESS_TONES[check.ready]}">${READINESS_WORDS[check.ready]}: ${CONCLUSIONS[check.ready]}</h1>
${check.causes.map(causeView)}
${section('Checklist', checklistView(check.preconditions))}
${section('Certificates', chainsView(data.chains))}
${section('Timeline', timelineView(data.timeline))}
${section('Log lines', excerptsView(data.logExcerpts))}
${section('Answers', markup`<pre>${preformatted(answers)}</pre>`)}
${section('Versions', versionsView(data))}
${section('Configuration', markup`<pre>${preformatted(printPlain(data.configuration))}</pre>`)}
${section('What was taken out', maskedView(data))}
${section('Files', markup`<ul>${files.map((file) => markup`<li><code>${file}</code></li>`)}</ul>`)}
</body>
</html>
`);
}

function section(title: string, content: Content): Markup {
  return markup`<section><h2>${title}</h2>${content}</section>`;
}

function causeView({ id, severity, confidence, summary, impact, evidence, consequences, remedySteps }: Cause): Markup {
  const blocked = CHECKS.filter((precondition) => consequences.includes(precondition.id)).map(({ title }) => title);
  return markup`<section class="cause ${SEVERITY_TONES[severity]}"><h3>${summary}</h3>
<p class="quiet">${severity}, ${confidence} · <code>${id}</code></p>
<p>${impact}</p>
${blocked.length === 0 ? null : markup`<p>Not judged because of it: ${blocked.join(', ')}</p>`}
<h3>Evidence</h3><ul>${evidence.map((line) => markup`<li>${line}</li>`)}</ul>
<h3>Remedy</h3>${remedyView(remedySteps)}</section>`;
}

function checklistView(preconditions: readonly PreconditionJson[]): Markup {
  return markup`<table><thead><tr><th>Precondition</th><th>State</th><th>What was seen</th></tr></thead>
<tbody>${preconditions.map(preconditionView)}</tbody></table>`;
}

function preconditionView({ id, state, summary, findings }: PreconditionJson): Markup {
  const word = `${MARKS[state]} ${STATE_WORDS[state].toLowerCase()}`;
  const list = findings.map(
    ({ subject, expected, actual }) => markup`<li class="quiet">${subject}: expected ${expected}, got ${actual}</li>`,
  );
  return markup`<tr><td>${titleOf(id)}</td><td class="${STATE_TONES[state]}">${word}</td><td>${summary}${
    list.length === 0 ? null : markup`<ul>${list}</ul>`
  }</td></tr>`;
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
