import type { KeptAuditEntry, RefusedChanges } from '../../core/audit.ts';
import type { AuditQuery, FoundChanges } from '../sources.ts';
import { pageDocument, badge, timeAndDistance, type Reader } from './page-document.ts';
import { type Markup, markup, subjectView } from '../../document/html.ts';
import { HISTORY_MISSING } from './notifications-view.ts';
import { changeText } from '../../document/incident-story.ts';

interface ChangesPage {
  readonly site: string;
  readonly query: AuditQuery;
  readonly problems: readonly string[];
  readonly found: FoundChanges;
  readonly reader: Reader;
}

export function renderChanges({ site, query, problems, found, reader }: ChangesPage): string {
  const { changes, refused, more, complete } = found;
  const earlier = new URLSearchParams({
    ...(query.incident === null ? {} : { incident: query.incident }),
    before: String(changes.at(-1)?.id ?? 0),
  }).toString();
  return pageDocument({
    title: 'Changes',
    site,
    root: '',
    icon: 'unknown',
    scripts: ['incidents.js'],
    reader,
    main: markup`<section class="card" aria-labelledby="changes-title"><h1 id="changes-title">Changes</h1>
${problems.map((problem) => markup`<p class="problem">${badge('warn', 'Ignored')} ${problem}</p>`)}
${
  changes.length === 0
    ? markup`<p class="quiet">None.</p>`
    : markup`<ol class="story">${changes.map((change) => changeView(change, reader))}</ol>`
}
${more ? markup`<p><a href="changes?${earlier}">Earlier</a></p>` : null}
<p class="quiet">This list <a href="api/v1/audit">as JSON</a></p>
${complete ? null : HISTORY_MISSING}</section>
${refused.length === 0 ? null : refusedView(refused, reader)}`,
  });
}

function changeView(change: KeptAuditEntry, reader: Reader): Markup {
  const { at, detail, incident, cause, subject } = change;
  return markup`<li>${changeText(change)} ${timeAndDistance(at, reader)}${
    cause === null ? null : markup` <code class="tag">${cause}</code>`
  }${subject === null ? null : [' ', subjectView(subject)]} <span class="quiet">${detail}</span>${
    incident === null ? null : markup` <a href="incidents/${encodeURIComponent(incident)}">Incident</a>`
  }</li>`;
}

function refusedView(refused: readonly RefusedChanges[], reader: Reader): Markup {
  return markup`<section class="card" aria-labelledby="refused-title">
<h2 id="refused-title">Refused changes, by minute</h2>
<ol class="story">${refused.map(({ account, address, last, count, action }) => {
    const from = address === null ? '' : ` from ${address}`;
    const latest = markup`<span class="quiet">, the last one <code>${action}</code></span>`;
    return markup`<li>${count} by ${account}${from} ${timeAndDistance(last, reader)}${latest}</li>`;
  })}</ol></section>`;
}
