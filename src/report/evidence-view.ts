import { type Markup, markup } from '../web/page/markup.ts';
import { timeText } from './case-view.ts';
import type { LogExcerpts } from './log-excerpts.ts';
import type { ReportData } from './report-data.ts';
import type { CertificateJson } from './seen-chains.ts';
import type { SeenIssuer } from './seen-issuers.ts';
import type { Timeline } from './timeline.ts';

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
