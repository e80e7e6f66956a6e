import {
  type Markup,
  markup,
  READINESS_TONES,
  READINESS_WORDS,
  SEVERITY_TONES,
  SEVERITY_WORDS,
  STATE_TONES,
  STATE_WORDS,
  evidenceView,
  remedyView,
} from '../document/html.ts';
import { lasts, type ReportCase, type CaseSpan } from './report-cases.ts';
import type { ReportData } from './report-data.ts';
import { CONCLUSIONS, MARKS } from './report-text.ts';
import { titleOf } from '../checks/registry.ts';
import { utcText } from '../core/time-text.ts';
import type { Cause } from '../engine/model.ts';
import type { SeenIssuer, CertificateJson } from './seen.ts';
import { inSentence } from '../engine/words.ts';
import type { DiagnosisJson, FindingJson, PreconditionJson } from '../engine/diagnosis-json.ts';
import type { LogExcerpts, Timeline } from './timeline.ts';

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

const SHOWN_SPANS = 3;

/**
 * What, where, since when, who, proof and request, for somebody who has to act and was not there. Of what is over it
 * says what was, and what to do should it come back.
 */
function caseFacts(one: ReportCase): Markup {
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
<dt>${names.request}</dt><dd>${remedyView(cause.remedySteps)}</dd>
</dl>`;
}

const NAMES = {
  lasts: { what: 'What', since: 'Since', request: 'Request' },
  over: { what: 'Impact then', since: 'When', request: 'If it comes back' },
} as const;

/** From when to when, as one line. */
function spanText({ since, until, lastSeen, lasted, gone }: CaseSpan): string {
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

/** `2026-11-24 13:00:05 UTC` of ISO 8601. */
function timeText(iso: string): string {
  return utcText(Date.parse(iso));
}

/** Every precondition with its state, and what was seen unless a cause tells it. */
export function checklistView({ preconditions, causes }: DiagnosisJson): Markup {
  return markup`<table><thead><tr><th>Precondition</th><th>State</th><th>What was seen</th></tr></thead>
<tbody>${preconditions.map((one) => preconditionView(one, causes))}</tbody></table>`;
}

function preconditionView({ id, state, summary, findings }: PreconditionJson, causes: readonly Cause[]): Markup {
  const word = `${MARKS[state]} ${STATE_WORDS[state].toLowerCase()}`;
  // Evidence of a cause stands with it, also what a blocked precondition adds.
  const isTold = state === 'blocked' || causes.some(({ precondition }) => precondition === id);
  const list = isTold ? [] : findings.filter((finding) => !isIn(summary, finding)).map(findingView);
  const seen = causes.some((cause) => cause.summary === summary) ? 'See the cause.' : summary;
  return markup`<tr><td>${titleOf(id)}</td><td class="${STATE_TONES[state]}">${word}</td><td>${seen}${
    list.length === 0 ? null : markup`<ul>${list}</ul>`
  }</td></tr>`;
}

/** A summary of one finding says it in the same words, but for the first letter. */
function isIn(summary: string, { claim, actual }: FindingJson): boolean {
  return [claim, actual].some((text) => summary.toLowerCase().includes(text.toLowerCase()));
}

function findingView({ subject, claim, expected }: FindingJson): Markup {
  return markup`<li class="quiet">${subject}: ${claim} Expected: ${inSentence(expected)}.</li>`;
}

type Chain = ReportData['chains'][number];

/** Who issued what a target showed, also what it shows no more. */
export function issuersView(issuers: readonly SeenIssuer[]): Markup | null {
  if (issuers.length === 0) return null;
  return markup`<table><thead><tr><th>Target</th><th>First seen</th><th>Last seen</th><th>Verdict now</th>
<th>Issuer</th></tr></thead><tbody>${issuers.map(
    ({ target, firstSeen, lastSeen, verdict, issuer }) => markup`<tr><td>${target}</td><td>${timeText(firstSeen)}</td>
<td>${timeText(lastSeen)}</td><td>${verdict ?? 'not shown'}</td><td>${issuer}</td></tr>`,
  )}</tbody></table>`;
}

/**
 * Every chain of the round; a certificate that several ways showed is told once.
 * @param said what stands elsewhere already
 */
export function chainsView(chains: readonly Chain[], said: readonly string[] = []): Markup {
  if (chains.length === 0) return markup`<p>No certificate was sent in this round.</p>`;
  const told = new Set(said);
  const isNew = (text: string): boolean => !told.has(text) && told.add(text).has(text);
  return markup`${chains.map((chain) => chainView(chain, isNew))}`;
}

type IsNew = (text: string) => boolean;

function chainView({ file, target, way, judgement, certificates, dropped }: Chain, isNew: IsNew): Markup {
  return markup`<h3>${target} · ${way}</h3>
${judgement === null ? null : judgementView(judgement, isNew)}
<p class="quiet"><code>certificates/${file}</code>${
    dropped === 0 ? null : markup`, ${dropped} more could not be read or were too many`
  }</p>
${certificates.map((certificate) => certificateView(certificate, isNew))}`;
}

function judgementView(
  { verdict, confidence, summary, settle }: NonNullable<Chain['judgement']>,
  isNew: IsNew,
): Markup {
  return markup`<p>Verdict: ${verdict} (${confidence}).${isNew(summary) ? ` ${summary}` : null}</p>
${settle !== null && isNew(settle) ? markup`<p>What would settle it: ${settle}</p>` : null}`;
}

function certificateView(certificate: CertificateJson, isNew: IsNew): Markup {
  const { subject, issuer, notBefore, notAfter, serial, names, key, pin, sha256 } = certificate;
  const id = `sha256-${sha256.replaceAll(':', '')}`;
  if (!isNew(sha256)) return markup`<p><a href="#${id}">The certificate ${serial}</a>, as above.</p>`;
  return markup`<dl id="${id}"><dt>Subject</dt><dd>${subject}</dd><dt>Issuer</dt><dd>${issuer}</dd>
<dt>Valid</dt><dd>${notBefore} to ${notAfter}</dd>
${names.length === 0 ? null : markup`<dt>Names</dt><dd>${names.join(', ')}</dd>`}
<dt>Serial</dt><dd>${serial}</dd><dt>Key</dt><dd>${key}, <code>${pin}</code></dd><dt>SHA-256</dt>
<dd><code>${sha256}</code></dd></dl>`;
}

export function timelineView({ note, events }: Timeline): Markup {
  return markup`${note === null ? null : markup`<p>${note}.</p>`}
${note === null && events.length === 0 ? markup`<p>No incident is kept.</p>` : null}
${
  events.length === 0
    ? null
    : markup`<table><thead><tr><th>When</th><th>Incident</th><th>What</th></tr></thead>
<tbody>${events.map(
        ({ at, text, incident }) => markup`<tr><td>${at}</td><td>${incident ?? ''}</td><td>${text}</td>
</tr>`,
      )}</tbody></table>`
}`;
}

export function excerptsView({ note, dropped, lines }: LogExcerpts): Markup {
  return markup`${note === null ? null : markup`<p>${note}.</p>`}
${dropped === 0 ? null : markup`<p>${dropped} more were recognised, but only the latest of each kind are kept.</p>`}
${lines.map(
  ({ at, from, signature, count, line }) =>
    markup`<p class="quiet">${at} · ${from} · <code>${signature}</code> · ×${count}</p><pre>${line}</pre>`,
)}`;
}
