import { type Markup, markup } from '../web/page/markup.ts';
import type { LogExcerpts } from './log-excerpts.ts';
import type { ReportData } from './report-data.ts';
import type { CertificateJson } from './seen-chains.ts';
import type { Timeline, TimelineIncident } from './timeline.ts';

type Chain = ReportData['chains'][number];

export function chainsView(chains: readonly Chain[]): Markup {
  if (chains.length === 0) return markup`<p>No certificate was sent.</p>`;
  return markup`${chains.map(chainView)}`;
}

function chainView({ file, target, way, judgement, certificates, dropped }: Chain): Markup {
  return markup`<h3>${target} · ${way}</h3>
${
  judgement === null
    ? null
    : markup`<p>Verdict: ${judgement.verdict} (${judgement.confidence}). ${judgement.summary}</p>`
}
${judgement === null || judgement.settle === null ? null : markup`<p>What would settle it: ${judgement.settle}</p>`}
<p class="quiet"><code>certificates/${file}</code>${
    dropped === 0 ? null : markup`, ${dropped} more could not be read or were too many`
  }</p>
${certificates.map(certificateView)}`;
}

function certificateView(certificate: CertificateJson): Markup {
  const { subject, issuer, notBefore, notAfter, serial, names, key, pin, sha256 } = certificate;
  return markup`<dl><dt>Subject</dt><dd>${subject}</dd><dt>Issuer</dt><dd>${issuer}</dd>
<dt>Valid</dt><dd>${notBefore} to ${notAfter}</dd>
${names.length === 0 ? null : markup`<dt>Names</dt><dd>${names.join(', ')}</dd>`}
<dt>Serial</dt><dd>${serial}</dd><dt>Key</dt><dd>${key}, <code>${pin}</code></dd><dt>SHA-256</dt>
<dd><code>${sha256}</code></dd></dl>`;
}

export function timelineView({ note, incidents, events }: Timeline): Markup {
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
}
${incidents.map(incidentView)}`;
}

function incidentView({ id, status, cause }: TimelineIncident): Markup {
  return markup`<h3>Incident ${id}, ${status}: ${cause.id}</h3><p>${cause.summary}</p><ul>${cause.evidence.map(
    (line) => markup`<li>${line}</li>`,
  )}</ul>`;
}

export function excerptsView({ note, dropped, lines }: LogExcerpts): Markup {
  return markup`${note === null ? null : markup`<p>${note}.</p>`}
${dropped === 0 ? null : markup`<p>${dropped} more were recognised, but only the latest of each kind are kept.</p>`}
${lines.map(
  ({ at, from, signature, count, line }) =>
    markup`<p class="quiet">${at} · ${from} · <code>${signature}</code> · ×${count}</p><pre>${line}</pre>`,
)}`;
}
